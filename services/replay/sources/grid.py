"""Decimal strings of a recording as whole ticks and lots; and the grid that they are on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import gcd

from shared.errors import BadInput

#: distinct strings that are remembered: prices and sizes repeat all the time
REMEMBERED = 65_536


class Grid:
    """Multiples of a step.

    is_exact  False = what is no multiple is rounded down, but never to nothing: sizes of others
    """

    def __init__(self, step: str, what: str, is_exact: bool = True) -> None:
        """what: for the error, such as "price"; who reads the file adds where."""
        self._step = Decimal(step)
        self._is_exact = is_exact
        self._what = what
        self.steps = lru_cache(maxsize=REMEMBERED)(self._steps)

    def _steps(self, text: str) -> int:
        """Raises: BadInput when `text` is no number, or no whole number of steps."""
        try:
            steps = Decimal(text) / self._step
            whole = int(steps)
        except (InvalidOperation, ValueError, OverflowError):
            raise BadInput(f"{self._what} {text!r} is not a number") from None
        if not self._is_exact and whole >= 0:
            return whole or (1 if steps else 0)
        if steps != whole or whole < 0:
            raise BadInput(
                f"{self._what} {text} is not a multiple of {self._step:f}; replay.rules can give another"
            )
        return whole


def finest_step(texts: Iterable[str]) -> str | None:
    """Return the largest step that all of these numbers are multiples of; None without any but zeros.

    Raises: BadInput where one is not a number.
    """
    exponent, common = 0, 0
    for text in texts:
        try:
            number = Decimal(text).normalize()
        except (InvalidOperation, ValueError, TypeError):
            raise BadInput(f"{text!r} is not a number") from None
        if not number.is_finite() or number == 0:
            continue
        digits = int(abs(number).scaleb(-_exponent(number)))
        own = _exponent(number)
        if own < exponent:
            common *= 10 ** (exponent - own)
            exponent = own
        common = gcd(common, digits * 10 ** (own - exponent))
    return None if common == 0 else f"{Decimal(common).scaleb(exponent).normalize():f}"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent
