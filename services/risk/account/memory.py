"""What risk remembers over a restart of its process: a crash forgives no loss and ends no cool-down.

Times are monotonic ns of the process that remembers; `shifted` makes them those of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from services.risk.account.state import AccountState
from services.risk.holding import Holding
from services.risk.policies.abilities import Remembers
from services.risk.policies.policy import Action, Decision


class Pause(msgspec.Struct, frozen=True):
    """A decision that is in force until `until_ns`, whatever is decided meanwhile."""

    account: str
    symbol: str
    action: int
    reason: str
    may_buy: bool
    may_sell: bool
    until_ns: int


class Note(msgspec.Struct, frozen=True):
    """What a policy has begun; see `Remembers`."""

    account: str
    symbol: str
    policy: str
    text: str
    times: dict[str, int]


class Memory(msgspec.Struct, frozen=True):
    """peaks: account -> highest equity of the session; falls: account -> (when, value), newest last."""

    peaks: dict[str, float] = {}
    falls: dict[str, list[tuple[int, float]]] = {}
    pauses: list[Pause] = []
    notes: list[Note] = []

    def shifted(self, by_ns: int) -> Memory:
        """Return the same with all times so much later."""
        return Memory(
            self.peaks,
            {name: [(at + by_ns, usd) for at, usd in falls] for name, falls in self.falls.items()},
            [msgspec.structs.replace(pause, until_ns=pause.until_ns + by_ns) for pause in self.pauses],
            [
                msgspec.structs.replace(note, times={name: at + by_ns for name, at in note.times.items()})
                for note in self.notes
            ],
        )

    def to_bytes(self) -> bytes:
        return msgspec.json.encode(self)


def remember(accounts: Mapping[str, AccountState], now_ns: int) -> Memory:
    """Return what must not be forgotten."""
    memory = Memory({}, {}, [], [])
    for name, account in accounts.items():
        history = account.history
        if history.session_peak_usd is not None:
            memory.peaks[name] = history.session_peak_usd
            memory.falls[name] = history.falls()
        for symbol, holding in account.holdings.items():
            memory.pauses.extend(_pauses(name, symbol, holding, now_ns))
            memory.notes.extend(_notes(name, symbol, holding))
    return memory


def _pauses(account: str, symbol: str, holding: Holding, now_ns: int) -> list[Pause]:
    return [
        Pause(account, symbol, int(held.action), held.reason, held.may_buy, held.may_sell, until_ns)
        for held, until_ns in holding.holds.lasting(now_ns)
    ]


def _notes(account: str, symbol: str, holding: Holding) -> list[Note]:
    noted = [(policy.name, *policy.memory()) for policy in holding.policies if isinstance(policy, Remembers)]
    return [Note(account, symbol, name, text, times) for name, text, times in noted if times]


def recall(memory: bytes, accounts: Mapping[str, AccountState], watch: Callable[[str, str], Holding]) -> None:
    """Take up what was remembered; accounts and policies that are no more are passed over."""
    kept = msgspec.json.decode(memory, type=Memory)
    for name, peak in kept.peaks.items():
        if name in accounts:
            accounts[name].history.restore(peak, kept.falls.get(name, []))
    for pause in kept.pauses:
        if pause.account in accounts:
            action = Action(min(pause.action, Action.FREEZE))  # a halt is a flag of its own
            decision = Decision(action, pause.reason, may_buy=pause.may_buy, may_sell=pause.may_sell)
            watch(pause.account, pause.symbol).holds.restore(decision, pause.until_ns)
    for note in kept.notes:
        for policy in _policies(note, accounts, watch):
            policy.recall(note.text, note.times)


def _policies(
    note: Note, accounts: Mapping[str, AccountState], watch: Callable[[str, str], Holding]
) -> list[Any]:
    if note.account not in accounts:
        return []
    policies = watch(note.account, note.symbol).policies
    return [policy for policy in policies if isinstance(policy, Remembers) and policy.name == note.policy]
