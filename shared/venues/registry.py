"""Protocol name to adapter: all that the services know of a venue's code.

A venue is added by one entry here and a folder of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import BadInput
from shared.loop import Loop
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import BackpackAccount, BackpackPublic
from shared.venues.backpack.feed import BackpackFeed
from shared.venues.backpack.orders import CAPABILITIES, BackpackOrders
from shared.venues.backpack.private import BackpackPrivateFeed
from shared.venues.base import AccountClient, Capabilities, OrderCodec
from shared.venues.clock_offset import ClockOffset
from shared.venues.market_data import MarketClient, PublicFeed
from shared.venues.private_stream import PrivateFeed, PrivateListener

#: told the weight of every REST request before it leaves; called from worker threads. May raise
#: Withheld, and then it does not leave
Spend = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Adapter:
    """One venue's parts; each is built by the service that needs it."""

    capabilities: Capabilities
    public_feed: Callable[[], PublicFeed]
    #: (venue name = scope, endpoints, spend)
    public_client: Callable[[str, Endpoints, Spend | None], MarketClient]
    account_client: Callable[[Endpoints, Keys, ClockOffset, Spend | None], AccountClient]
    order_codec: Callable[[Endpoints, Keys], OrderCodec]
    private_feed: Callable[[Loop, Clock, Endpoints, Keys, ClockOffset, PrivateListener], PrivateFeed]


ADAPTERS = {
    "backpack": Adapter(
        capabilities=CAPABILITIES,
        public_feed=BackpackFeed,
        public_client=BackpackPublic,
        account_client=BackpackAccount,
        order_codec=BackpackOrders,
        private_feed=BackpackPrivateFeed,
    ),
}


def adapter_of(protocol: str) -> Adapter:
    """Return the adapter of a protocol. Raises: BadInput listing the choices."""
    try:
        return ADAPTERS[protocol]
    except KeyError:
        choices = ", ".join(sorted(ADAPTERS))
        raise BadInput(f"venue protocol {protocol!r} is not supported; choose one of: {choices}") from None
