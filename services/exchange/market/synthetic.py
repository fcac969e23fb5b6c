"""The synthetic market: seeded makers, noise takers and informed takers as real orders.

Deterministic given the seed and the sequence of `advance` times. Markets of one
base asset share its fair price.

Who knows what decides what a resting order earns. Its *1 s markout* is the move of
the mid in its favour from just before a fill to one second after it, in bps of the
mid: bid +, ask - (mid(t + 1 s) - mid(t-)). For an account that joins the best prices
of the others five times a second it is about zero while nobody knows more than the
price (informed_per_s 0), because noise takers choose neither time nor side by it, leave stale
quotes alone, and background makers do not take; informed takers make it clearly
negative, more than the half spread that the account earned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from heapq import heapify, heapreplace
from math import ceil, floor, isfinite
from random import Random

from services.exchange.engine.venue import LocalVenue
from services.exchange.market.background import BackgroundMakers
from services.exchange.market.fair import FairPath
from services.exchange.model import Market, Side

#: a driver that was not called for longer lost that time: nothing happened meanwhile
_LONGEST_CATCH_UP_NS = 2_000_000_000
_NOISE_REACH_TICKS = 10
_INFORMED_EDGE_TICKS = 0.5
#: noise takers pass by quotes that are better than fair by more than this: those go to who knows
_BARGAIN_TICKS = 1.0
#: price, volatility_bps and jump_bps at the start; others are like SOL
_ASSETS = {
    "SOL": (Decimal(150), 0.6, 4.0),
    "BTC": (Decimal(60_000), 0.05, 0.3),
    "ETH": (Decimal(3_000), 0.1, 0.6),
}


@dataclass(frozen=True, slots=True)
class SyntheticParams:
    """One symbol's synthetic flow.

    price            fair price at the start, quote units
    volatility_bps   of the fair price, in one second
    jumps_per_s, jump_bps   rate and typical size of jumps
    premium_bps      by how much the market trades above its index
    updates_per_s    maker orders placed or cancelled a second
    levels           price levels kept on each side
    maker_notional, noise_notional, informed_notional   median order size, quote units
    noise_per_s      uninformed market orders a second
    informed_per_s   looks a second of takers who know the fair price `horizon_s` ahead; 0 = off
    """

    symbol: str
    price: Decimal
    volatility_bps: float = 0.6
    jumps_per_s: float = 0.1
    jump_bps: float = 4.0
    premium_bps: float = 1.0
    updates_per_s: float = 40.0
    levels: int = 20
    maker_notional: float = 1_500.0
    noise_per_s: float = 3.0
    noise_notional: float = 700.0
    informed_per_s: float = 8.0
    informed_notional: float = 3_000.0
    horizon_s: float = 1.0

    def __post_init__(self) -> None:
        ranges = {
            "price": (float(self.price), 1e-9, 1e9),
            "volatility_bps": (self.volatility_bps, 0.0, 100.0),
            "jumps_per_s": (self.jumps_per_s, 0.0, 10.0),
            "jump_bps": (self.jump_bps, 0.0, 1_000.0),
            "premium_bps": (self.premium_bps, -100.0, 100.0),
            "updates_per_s": (self.updates_per_s, 0.1, 50_000.0),
            "levels": (self.levels, 1, 200),
            "maker_notional": (self.maker_notional, 1e-6, 1e9),
            "noise_per_s": (self.noise_per_s, 0.0, 10_000.0),
            "noise_notional": (self.noise_notional, 1e-6, 1e9),
            "informed_per_s": (self.informed_per_s, 0.0, 10_000.0),
            "informed_notional": (self.informed_notional, 1e-6, 1e9),
            "horizon_s": (self.horizon_s, 0.02, 60.0),
        }
        for name, (value, low, high) in ranges.items():
            if not (isfinite(value) and low <= value <= high):
                raise ValueError(f"synthetic market {self.symbol}: {name} {value} must be {low} to {high}")


def default_params(market: Market) -> SyntheticParams:
    """Return a flow that suits `market`: fills within seconds at a spread of 1 to 3 ticks.

    Assets other than BTC, ETH and SOL behave like SOL.
    """
    price, volatility_bps, jump_bps = _ASSETS.get(market.base, _ASSETS["SOL"])
    return SyntheticParams(market.symbol, price, volatility_bps=volatility_bps, jump_bps=jump_bps)


class _Flow:
    """The participants of one symbol."""

    def __init__(self, venue: LocalVenue, params: SyntheticParams, seed: int, fair: FairPath) -> None:
        self._venue = venue
        self._params = params
        self._engine = venue.engine(params.symbol)
        rules = self._engine.rules
        self._fair = fair
        self._index_ticks = float(params.price / rules.prices.step)
        self._fair_ticks = self._index_ticks * (1 + params.premium_bps / 1e4 if rules.is_perp else 1)
        self._random = Random(f"{seed}/{params.symbol}")
        lot_notional = float(params.price * rules.quantities.step)
        self._noise_lots = params.noise_notional / lot_notional
        self._informed_lots = params.informed_notional / lot_notional
        self._makers = BackgroundMakers(
            self._engine,
            self._random,
            levels=params.levels,
            median_lots=max(1, round(params.maker_notional / lot_notional)),
            volatility=params.volatility_bps / 1e4 * self._fair_ticks,
        )
        self._rate_ns = (params.updates_per_s + params.noise_per_s + params.informed_per_s) / 1e9

    def start(self, now_ns: int, stamp_ns: int) -> None:
        self._set_index(now_ns, stamp_ns)
        self._makers.fill_ladders(self._fair_at(now_ns), stamp_ns)

    def wait_ns(self) -> int:
        """Return the time to the symbol's next event."""
        return max(1, round(self._random.expovariate(self._rate_ns)))

    def act(self, due_ns: int, stamp_ns: int) -> None:
        """Let one participant act, who sees the world as of `due_ns`."""
        self._set_index(due_ns, stamp_ns)
        choice = self._random.random() * self._rate_ns * 1e9
        if choice < self._params.noise_per_s:
            self._take_blindly(self._fair_at(due_ns), stamp_ns)
        elif choice < self._params.noise_per_s + self._params.informed_per_s:
            self._take_knowing(self._fair_at(due_ns + int(self._params.horizon_s * 1e9)), stamp_ns)
        else:
            self._makers.step(self._fair_at(due_ns), stamp_ns)

    def jump(self, ticks: float, now_ns: int) -> None:
        """Let the fair price become `ticks`, for all markets of the base asset alike."""
        self._fair.jump(ticks / self._fair_at(now_ns), now_ns)

    def _fair_at(self, time_ns: int) -> float:
        return self._fair.at(time_ns) * self._fair_ticks

    def _set_index(self, time_ns: int, stamp_ns: int) -> None:
        if self._engine.rules.is_perp:
            self._venue.set_index(self._params.symbol, self._fair.at(time_ns) * self._index_ticks, stamp_ns)

    def _take_blindly(self, fair: float, stamp_ns: int) -> None:
        """Take a little on either side by chance; `fair` in ticks."""
        side = self._random.choice((Side.BUY, Side.SELL))
        sign = 1 if side is Side.BUY else -1
        best = self._engine.book.side(side.opposite).best()
        if best is not None and sign * (best.price - fair) >= -_BARGAIN_TICKS:
            limit = best.price + sign * _NOISE_REACH_TICKS
            self._take(side, max(1, limit), self._noise_lots, stamp_ns)

    def _take_knowing(self, future: float, stamp_ns: int) -> None:
        """Take everything that will have been a bargain, up to the usual size; `future` in ticks."""
        ask, bid = self._engine.book.asks.best(), self._engine.book.bids.best()
        if ask is not None and ask.price + _INFORMED_EDGE_TICKS < future:
            self._take(Side.BUY, floor(future), self._informed_lots, stamp_ns)
        elif bid is not None and bid.price - _INFORMED_EDGE_TICKS > future:
            self._take(Side.SELL, max(1, ceil(future)), self._informed_lots, stamp_ns)

    def _take(self, side: Side, limit: int, median_lots: float, stamp_ns: int) -> None:
        lots = max(1, round(median_lots * self._random.lognormvariate(0.0, 0.7)))
        self._engine.enter(side, limit, lots, stamp_ns, rests=False)


class SyntheticMarket:
    """A `MarketDriver` for any number of symbols; the market opens at the first `advance`."""

    def __init__(self, venue: LocalVenue, params: Iterable[SyntheticParams], seed: int) -> None:
        self._venue = venue
        self._params = tuple(params)
        self._seed = seed
        self._flows: list[_Flow] = []
        self._fairs: dict[str, FairPath] = {}
        self._due: list[tuple[int, int]] = []
        if not self._params:
            raise ValueError("a synthetic market needs at least one symbol")
        self._check_shared_fair()

    @property
    def is_finished(self) -> bool:
        return False

    def advance(self, now_ns: int, stamp_ns: int | None = None) -> int:
        """Do everything due until `now_ns`; return when something is due next."""
        stamp_ns = now_ns if stamp_ns is None else stamp_ns
        if not self._due:
            self._start(now_ns, stamp_ns)
        while self._due[0][0] <= now_ns:
            due_ns, number = self._due[0]
            flow = self._flows[number]
            due_ns = max(due_ns, now_ns - _LONGEST_CATCH_UP_NS)
            flow.act(due_ns, stamp_ns)
            heapreplace(self._due, (due_ns + flow.wait_ns(), number))
        for fair in self._fairs.values():
            fair.forget_before(self._due[0][0])
        return self._due[0][0]

    def jump(self, symbol: str, ticks: float, now_ns: int) -> None:
        """Let the fair price of a symbol (and of its base asset) become `ticks`; others stay."""
        for params, flow in zip(self._params, self._flows, strict=False):
            if params.symbol == symbol:
                flow.jump(ticks, now_ns)

    def _start(self, now_ns: int, stamp_ns: int) -> None:
        for number, params in enumerate(self._params):
            fair = self._fair(params, now_ns)
            flow = _Flow(self._venue, params, self._seed, fair)
            self._flows.append(flow)
            flow.start(now_ns, stamp_ns)
            self._due.append((now_ns + flow.wait_ns(), number))
        heapify(self._due)

    def _fair(self, params: SyntheticParams, now_ns: int) -> FairPath:
        base = self._venue.markets[params.symbol].base
        if base not in self._fairs:
            self._fairs[base] = FairPath(
                f"{self._seed}/{base}/fair",
                now_ns,
                volatility_bps=params.volatility_bps,
                jumps_per_s=params.jumps_per_s,
                jump_bps=params.jump_bps,
            )
        return self._fairs[base]

    def _check_shared_fair(self) -> None:
        first: dict[str, SyntheticParams] = {}
        for params in self._params:
            other = first.setdefault(self._venue.engine(params.symbol).rules.market.base, params)
            for name in ("price", "volatility_bps", "jumps_per_s", "jump_bps"):
                if getattr(params, name) != getattr(other, name):
                    raise ValueError(
                        f"synthetic markets {other.symbol} and {params.symbol} share a base asset, so "
                        f"{name} {getattr(other, name)} and {getattr(params, name)} must be equal"
                    )
