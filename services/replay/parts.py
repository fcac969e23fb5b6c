"""What a replay's machine is built of, and who watches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.execution.config import ExecutionConfig
from services.quoter.config import Settings
from services.risk.config import Config as RiskConfig
from services.signals.config import Config as SignalsConfig
from shared.messages import Message
from shared.venues.base import Capabilities, VenueFunding


class Listener(Protocol):
    """Whoever watches: sees what is published, and the market as recorded and as shown with our orders."""

    def on_market(self, message: Message, shown: Message, now_ns: int) -> None: ...
    def on_published(self, message: Message, now_ns: int) -> None: ...
    def on_funding(self, payment: VenueFunding, now_ns: int) -> None: ...


class Parts:
    """What a machine is built of, read from a configuration once."""

    __slots__ = ("capabilities", "execution", "legs", "quoters", "risk", "signals", "tag", "venues")

    def __init__(
        self, quoters: Sequence[Settings], venues: Mapping[str, str], risk: RiskConfig,
        signals: SignalsConfig, execution: ExecutionConfig, capabilities: Mapping[str, Capabilities],
        tag: int, legs: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """venues: account -> venue; capabilities: venue -> what it can do; legs: symbol -> account."""
        self.legs = dict(legs or {})
        self.quoters, self.venues = quoters, venues
        self.risk, self.signals, self.execution = risk, signals, execution
        self.capabilities, self.tag = capabilities, tag
