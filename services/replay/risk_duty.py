"""What the risk process does beside its core: policies' halts become flags, alerts are told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from services.replay.desk_link import KEPT_ALERTS, DeskLink
from services.risk.core import Risk
from shared.clock import NS_PER_MS
from shared.messages import Message

CHECK_NS = 100 * NS_PER_MS


class RiskDuty:
    """Halts are sticky: nobody resumes them in a replay.

    alerts  (time, text), the newest some hundred
    """

    def __init__(
        self, risk: Risk, links: Iterable[DeskLink], publish: Callable[[list[Message], int], None]
    ) -> None:
        self._risk, self._links, self._publish = risk, tuple(links), publish
        self._flags: dict[str, str] = {}
        self.alerts: deque[tuple[int, str]] = deque(maxlen=KEPT_ALERTS)

    def check(self, now_ns: int) -> None:
        """Set the flags that policies want, for the core and for every execution."""
        wanted = self._risk.wanted_halts()
        if wanted:
            self._flags |= wanted
            self.alerts += [(now_ns, f"{scope} is halted by a policy: {wanted[scope]}") for scope in wanted]
            self._publish(list(self._risk.on_halts(dict(self._flags), now_ns, True)), now_ns)
            for link in self._links:
                link.do(link.core.on_halts(self._flags, now_ns), now_ns)
        self.alerts += [
            (now_ns, f"{account} {symbol}: {text}") for account, symbol, text in self._risk.take_alerts()
        ]
