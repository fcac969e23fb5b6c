"""What a strategy is: a pure function from a view of the market to the wanted quotes.

A strategy is one file: its `Params` (what a person writes), a function

    quote(view: MarketView, plan, memory) -> Wanted

and one line in `strategies/__init__.py`. No clock, no I/O, no logging: what it must
remember it returns as `Memory` and gets back at the next call. `plan` is what the params
are for one instrument, in ticks and lots, computed once; without a `plan` function it is
the params themselves.

The quoter does the rest: it subtracts our own orders before the view, and afterwards
moves the levels outwards with the volatility where that is asked for, and applies
hysteresis and the permit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from shared.instrument import Instrument
from shared.messages import Level, Permit, WorkingOrder
from shared.own_orders import DEFAULT_SETTLE_S, SettleSeconds

Levels = tuple[tuple[int, int], ...]
#: what is wanted does not depend on the time
FOREVER_NS = 1 << 62


class MarketView(msgspec.Struct, frozen=True, gc=False):
    """What a strategy sees. Prices are ticks, sizes and the position (signed) lots.

    bid, ask        best prices of others: 0 < bid < ask
    bids, asks      the best levels of others, best first; empty unless the strategy needs depth
    flow            log of taker buy over sell notional, > 0 = buyers; None unless needed
    volatility_pct  annualised percent; None unless needed
    equity_usd      quote units; None unless needed
    intensity       arrivals per second at the mid and decay per tick (see `Intensity`); None unless needed
    working         our orders that may be live; empty unless the strategy follows them
    """

    now_ns: int
    instrument: Instrument
    prices: PriceGrid
    sizes: LotSizes
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    bids: Levels
    asks: Levels
    position: int
    permit: Permit
    working: tuple[WorkingOrder, ...]
    equity_usd: float | None
    flow: float | None
    volatility_pct: float | None
    intensity: tuple[float, float] | None = None

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2

    @property
    def microprice(self) -> float:
        """Mid weighted by the sizes of the opposite sides: a large bid pulls it up.

        Source: Stoikov, The micro-price (2018), first order ("weighted mid").
        """
        total = self.bid_size + self.ask_size
        return (self.bid * self.ask_size + self.ask * self.bid_size) / total


class Memory(msgspec.Struct, frozen=True, gc=False):
    """What a strategy remembers from one call to the next. Subclass it."""


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What should rest.

    levels      best first on each side; post-only, on legal prices, not crossing the view
    exclusive   an order on one side only after the other side is confirmed gone
    holds_ns    until then (monotonic) the same is wanted, memory included, as long as nothing in the view
                changes but the time, the sizes at the best prices and `working`; 0 = that is not known
    """

    levels: tuple[Level, ...]
    exclusive: bool
    reason: str
    memory: Memory
    holds_ns: int = 0


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every strategy can be told.

    stale_after_s       nothing is quoted on market data older than this
    own_order_settle_s  how long book and execution may disagree about our own orders: longer than
                        market data may lag (`[marketdata] max_lag_s`), or we chase our own ghost
    size_tolerance_pct  an order whose size is off by less than this keeps its place
    volatility_spread   no quote is nearer to the mid than so many standard deviations of it over
                        volatility_horizon_s (0.5 to 1 is usual); 0 = off
    volatility_horizon_s  over how long that deviation is meant, seconds
    """

    stale_after_s: Annotated[float, Meta(ge=0.1, le=5)] = 2.0
    own_order_settle_s: SettleSeconds = DEFAULT_SETTLE_S
    size_tolerance_pct: Annotated[float, Meta(ge=0, le=50)] = 10.0
    volatility_spread: Annotated[float, Meta(ge=0, le=20, extra={"unit": "deviations"})] = 0.0
    volatility_horizon_s: Annotated[float, Meta(ge=0.1, le=86_400)] = 10.0

    def problem(self) -> str:
        """Return the rule between several parameters that is broken, "" when none is."""
        return ""

    def largest_position(self) -> float | None:
        """Return the bound that the params set on the position, base units; None = the permit's alone."""
        return None

    def volatility_roots(self) -> float:
        """Return by what the deviation of one second is multiplied for the least distance; 0 = no such."""
        return self.volatility_spread * math.sqrt(self.volatility_horizon_s)


@dataclass(frozen=True, slots=True)
class Needs:
    """Inputs without which a strategy does not quote, beside book, position and permit."""

    flow: bool = False
    volatility: bool = False
    equity: bool = False
    depth: bool = False
    intensity: bool = False


P = TypeVar("P", bound=Params)
L = TypeVar("L")
M = TypeVar("M", bound=Memory)


def _with_options(needs: Callable[[P], Needs]) -> Callable[[P], Needs]:
    def all_needs(params: P) -> Needs:
        own = needs(params)
        return replace(own, volatility=True) if params.volatility_spread else own

    return all_needs


def _params_are_the_plan(params: Any, _instrument: Instrument) -> Any:
    return params


@dataclass(frozen=True, slots=True)
class Strategy(Generic[P, L, M]):
    """A strategy as it is registered.

    start    the memory of the first call
    needs    which inputs these params make necessary; what the options of every strategy need is
             added here, so that core, process and `makerd check` ask for the same
    plan     params in ticks and lots of an instrument. Raises: BadInput
    summary  one line for people; "" = the first line of the file of the params
    follows_position  what it wants is good for one position only, and at most that: a filled order is not
                      placed again before the strategy has seen the position that came of it, and no
                      size above the wanted one is kept for its place
    follows_working  what it wants depends on `view.working`: it is asked again whenever that changes
    """

    name: str
    params: type[P]
    quote: Callable[[MarketView, L, M], Wanted]
    start: M
    needs: Callable[[P], Needs]
    plan: Callable[[P, Instrument], L] = _params_are_the_plan
    summary: str = ""
    follows_position: bool = False
    follows_working: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", _with_options(self.needs))
