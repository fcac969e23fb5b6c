"""What a configuration would quote: plain rows for people (`makerd check CONFIG`).

The same strategy and the same limits as in the live quoter, on a book two ticks wide around
a given mid, with all other symbols of the account flat. What the signals would say is assumed,
and said to be (`assumptions`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from services.quoter.config import parse_quoter
from services.quoter.levels.limits import narrowed, within
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.levels.volatility import spread_distance, widened
from services.quoter.strategies.base import MarketView, Params, Wanted
from shared.config import Quoter
from shared.errors import BadInput
from shared.instrument import Instrument, plain
from shared.messages import Level, Permit, Side

NS_AT = 10**15
BOOK_SIZE = 1_000
#: annualised percent
VOLATILITY_PCT = 50.0
#: takers a second at the mid, and by how much of the mid they come less often by a factor e
ARRIVALS_PER_S, DECAY_SHARE = 1.0, 1e-4
FLOWS = {"": 0.0, ", takers buy": 1.0, ", takers sell": -1.0}


@dataclass(frozen=True, slots=True)
class Row:
    """One quote, or why there is none (side "-")."""

    situation: str
    position: str
    side: str
    price: str
    quantity: str
    notional: str
    ticks_from_mid: str
    percent_from_mid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What risk would permit at an assumed equity, quote units: the largest abs(position) and order."""

    equity_usd: float
    position_usd: float
    order_usd: float


def explain(symbol: str, quoter: Quoter, instrument: Instrument, mid: Decimal, allowed: Allowed) -> list[Row]:
    """Return the quotes of a flat, a long and a short inventory (three quarters of the largest position).

    mid  quote units
    Raises: BadInput.
    """
    strategy, params = parse_quoter(symbol, quoter)
    plan = strategy.plan(params, instrument)
    ticks = int(mid / instrument.tick_size)
    if ticks < 2:
        raise BadInput(f"mid {mid} is below two ticks of {symbol} ({plain(instrument.tick_size)} each)")
    permit = _permit(symbol, params, instrument, allowed, ticks)
    held = permit.max_long * 3 // 4
    positions = {"flat": 0, "long": held, "short": -held} if instrument.is_perp else {"flat": 0, "long": held}
    flows = FLOWS if strategy.needs(params).flow else {"": 0.0}
    rows: list[Row] = []
    for name, position in positions.items():
        for flow_name, flow in flows.items():
            view = _view(instrument, ticks, position, permit, allowed.equity_usd, flow)
            wanted = strategy.quote(view, plan, strategy.start)
            rows.extend(_rows(name + flow_name, wanted, _limited(wanted.levels, params, view), view, mid))
    return rows


def assumptions(quoter: Quoter, symbol: str) -> str:
    """Return what the quotes take for granted of the signals, "" where they use none. Raises: BadInput."""
    strategy, params = parse_quoter(symbol, quoter)
    needs = strategy.needs(params)
    said = [f"a volatility of {VOLATILITY_PCT:g} % a year"] if needs.volatility else []
    if needs.intensity:
        distance = f"a factor e fewer each {100 * DECAY_SHARE:g} % further out"
        said.append(f"{ARRIVALS_PER_S:g} taker a second at the mid, {distance}")
    return ", ".join(said)


def _limited(levels: tuple[Level, ...], params: Params, view: MarketView) -> tuple[Level, ...]:
    distance = spread_distance(VOLATILITY_PCT, view.mid, params.volatility_roots())
    levels = widened(levels, (), view.mid, distance, view.prices)
    return within(levels, view.position, view.permit, view.prices, view.sizes)


def _rows(
    situation: str, wanted: Wanted, levels: tuple[Level, ...], view: MarketView, mid: Decimal
) -> Iterator[Row]:
    position = plain(view.instrument.quantity(view.position))
    if not levels:
        reason = wanted.reason if not wanted.levels else "no room"
        yield Row(situation, position, "-", "", "", "", "", "", reason)
    for level in levels:
        yield _row(situation, position, level, view.instrument, mid, wanted.reason)


def _row(
    situation: str, position: str, level: Level, instrument: Instrument, mid: Decimal, reason: str
) -> Row:
    distance = instrument.price(level.price) - mid
    return Row(
        situation=situation,
        position=position,
        side="bid" if level.side is Side.BUY else "ask",
        price=instrument.price_text(level.price),
        quantity=instrument.quantity_text(level.size),
        notional=f"{instrument.notional(level.size, level.price):.2f}",
        ticks_from_mid=f"{distance / instrument.tick_size:+.1f}",
        percent_from_mid=f"{100 * distance / mid:+.4f}",
        reason=reason,
    )


def _view(
    instrument: Instrument, ticks: int, position: int, permit: Permit, equity_usd: float, flow: float
) -> MarketView:
    bid, ask = (ticks - 1, ticks + 1)
    return MarketView(
        now_ns=NS_AT, instrument=instrument, prices=PriceGrid(instrument), sizes=LotSizes(instrument),
        bid=bid, bid_size=BOOK_SIZE, ask=ask, ask_size=BOOK_SIZE,
        bids=((bid, BOOK_SIZE),), asks=((ask, BOOK_SIZE),), position=position, permit=permit, working=(),
        equity_usd=equity_usd, flow=flow, volatility_pct=VOLATILITY_PCT,
        intensity=(ARRIVALS_PER_S, 1 / max(1.0, DECAY_SHARE * ticks)),
    )  # fmt: skip


def _permit(symbol: str, params: Params, instrument: Instrument, allowed: Allowed, ticks: int) -> Permit:
    largest = instrument.lots_for_notional(Decimal(str(allowed.position_usd)), ticks)
    order = instrument.lots_for_notional(Decimal(str(allowed.order_usd)), ticks)
    permit = Permit(
        scope="-", symbol=symbol, max_long=largest, max_short=largest, max_order=order,
        max_gross_usd=allowed.position_usd, may_buy=True, may_sell=True, reduce_only=False, halted=False,
        reason="", expires_ns=NS_AT + 1,
    )  # fmt: skip
    own = params.largest_position()
    own_lots = None if own is None else instrument.lots_floor(Decimal(str(own)))
    return narrowed(permit, own_lots, instrument.is_perp)
