"""Ticks and lots to the decimal texts of the wire."""

from __future__ import annotations

from decimal import Decimal

_CACHED = 50_000


class Printer:
    """Prints multiples of one step (a tick or a lot), with and without padding."""

    def __init__(self, step: Decimal) -> None:
        exponent = step.normalize().as_tuple().exponent
        self.step = step
        self.decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        self._unit = int(step.scaleb(self.decimals))
        self._padded: dict[int, str] = {}

    def decimal(self, count: int) -> Decimal:
        return Decimal(count * self._unit).scaleb(-self.decimals)

    def padded(self, count: int) -> str:
        """Return with all decimals of the step: 1250 ticks of 0.1 are "125.0"."""
        text = self._padded.get(count)
        if text is None:
            if len(self._padded) >= _CACHED:
                self._padded.clear()
            text = self._padded[count] = f"{self.decimal(count):.{self.decimals}f}"
        return text

    def plain(self, count: int) -> str:
        """Return without trailing zeros: 1250 ticks of 0.1 are "125"."""
        text = self.padded(count)
        return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: Decimal) -> str:
    """Return without exponent and trailing zeros; any zero is "0"."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
