"""Patience: how often, and until when, a hedge waits for takers before it takes. Row R27."""

from __future__ import annotations

from dataclasses import dataclass

from shared.messages import Side


@dataclass(slots=True)
class Pursuit:
    """How far the patience for one side of a symbol's target has gone.

    try_ns        how long one try lasts
    max_tries     how many there are; 0 = it is taken at once
    give_up_ns    no try begins after this, whatever kept the others from being placed
    tries         begun so far
    try_until_ns  end of the latest one
    wanted_ns     when a live target last asked for it
    """

    side: Side
    try_ns: int
    max_tries: int
    give_up_ns: int
    tries: int = 0
    try_until_ns: int = 0
    wanted_ns: int = 0

    @classmethod
    def begun(cls, side: Side, try_ns: int, max_tries: int, now_ns: int) -> Pursuit:
        return cls(side, try_ns, max_tries, now_ns + try_ns * max_tries, wanted_ns=now_ns)

    def may_try(self, now_ns: int) -> bool:
        """True while another try may begin; False, with none under way = what is left is to be taken."""
        return now_ns < self.give_up_ns and self.tries < self.max_tries

    def is_patient(self, now_ns: int) -> bool:
        """True while a try may go on, or another one begin."""
        return self.may_try(now_ns) or now_ns < self.try_until_ns

    def is_over(self, now_ns: int) -> bool:
        """True when nobody has asked for it for longer than one try: what comes then is another pursuit."""
        return now_ns - self.wanted_ns > self.try_ns

    def begin_try(self, now_ns: int) -> None:
        self.tries += 1
        self.try_until_ns = now_ns + self.try_ns
