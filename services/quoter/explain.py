"""What a configuration would quote: plain rows for people (`makerd check CONFIG`).

The same strategy and the same limits as in the live quoter, on a book two ticks wide around
a given mid, with all other symbols of the account flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.quoter.config import parse_quoter
from services.quoter.levels.limits import narrowed, within
from services.quoter.levels.rounding import PriceGrid
from services.quoter.levels.sizing import LotSizes
from services.quoter.strategies.base import MarketView, Params, Strategy, Wanted
from shared.config import Quoter
from shared.errors import BadInput
from shared.instrument import Instrument, plain
from shared.messages import Level, Permit, Side

NS_AT = 10**15
BOOK_SIZE = 1_000
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
            rows.extend(_rows(name + flow_name, strategy, plan, view, mid))
    return rows


def _rows(
    situation: str, strategy: Strategy[Any, Any, Any], plan: object, view: MarketView, mid: Decimal
) -> Iterator[Row]:
    wanted: Wanted = strategy.quote(view, plan, strategy.start)
    levels = within(wanted.levels, view.position, view.permit, view.prices, view.sizes)
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
        equity_usd=equity_usd, flow=flow, volatility_pct=50.0,
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
