"""Protocol name to adapter: all that the services know of a venue's code.

A venue is added by one entry here and a folder of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Clock
from shared.errors import BadInput
from shared.loop import Loop
from shared.net.order_transport import OrderTransport
from shared.net.orders import OrderConnections
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import BackpackAccount, BackpackPublic
from shared.venues.backpack.feed import BackpackFeed
from shared.venues.backpack.orders import CAPABILITIES, BackpackOrders
from shared.venues.backpack.private import BackpackPrivateFeed
from shared.venues.base import AccountClient, Capabilities, OrderCodec
from shared.venues.clock_offset import ClockOffset
from shared.venues.market_data import MarketClient, PublicFeed
from shared.venues.private_stream import PrivateFeed, PrivateListener


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What an account wants of its order transport.

    connections  how many requests can be in flight, where each needs a connection of its own
    timeout_ns   after so long without a reply the outcome of a request is unknown
    """

    connections: int
    timeout_ns: int


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
    #: moves what the codec builds: HTTP connections or a websocket
    order_transport: Callable[[Loop, Clock, Endpoints, OrderLine], OrderTransport]
    private_feed: Callable[[Loop, Clock, Endpoints, Keys, ClockOffset, PrivateListener], PrivateFeed]


def http_orders(loop: Loop, clock: Clock, endpoints: Endpoints, line: OrderLine) -> OrderTransport:
    """Return the transport of venues whose orders travel by HTTP."""
    return OrderConnections(loop, endpoints.rest_url, line.connections, clock, line.timeout_ns)


ADAPTERS = {
    "backpack": Adapter(
        capabilities=CAPABILITIES,
        public_feed=BackpackFeed,
        public_client=BackpackPublic,
        account_client=BackpackAccount,
        order_codec=BackpackOrders,
        order_transport=http_orders,
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
