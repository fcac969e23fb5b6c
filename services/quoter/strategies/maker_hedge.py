"""Maker hedge: a bid and an ask at the best prices; what fills is traded back by risk.

The strategy quotes, `services/risk/policies/fill_hedge.py` hedges; `reference` must be the same
in both. Until a fill is traded back it uses up the room of its side: what is not hedged never
exceeds `max_unhedged`, whatever rests, and a partly filled order keeps its place in the queue.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from services.quoter.levels.sizing import percent_to_ppm, share_of_equity, to_micro
from services.quoter.strategies import base
from services.quoter.strategies.base import MarketView, Memory, Needs, Strategy, Wanted
from shared.clock import seconds_to_ns
from shared.errors import BadInput
from shared.instrument import Instrument, plain
from shared.messages import Level, Side


class Params(base.Params, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes. At most one of quantity and size_usd; without both, equity_pct.

    quantity            base units a side
    size_usd            quote units a side
    equity_pct          percent of the equity a side, without quantity and size_usd
    reference           base units, signed: the position that fills are traded back to
    max_unhedged        base units away from reference at most, all orders filled; None = one order
    requote_interval_s  prices follow the market at most this often
    """

    quantity: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    size_usd: Annotated[float, Meta(ge=0.01, le=1e9)] | None = None
    equity_pct: Annotated[float, Meta(ge=0.001, le=100)] = 5.0
    reference: Annotated[float, Meta(ge=-1e12, le=1e12)] = 0.0
    max_unhedged: Annotated[float, Meta(gt=0, le=1e12)] | None = None
    requote_interval_s: Annotated[float, Meta(ge=0.01, le=60)] = 0.35

    def problem(self) -> str:
        if self.quantity is not None and self.size_usd is not None:
            return f"quantity {self.quantity:g} and size_usd {self.size_usd:g} are two sizes: give one"
        return ""


class Plan(msgspec.Struct, frozen=True):
    """The params in lots, parts per million and nanoseconds; size_tolerance a share."""

    lots: int | None
    budget_micro: int | None
    share_ppm: int
    reference: int
    max_unhedged: int | None
    requote_ns: int
    size_tolerance: float


class Joined(Memory, frozen=True, gc=False):
    """The prices in force and since when; None = none yet. sizes: of a bid and an ask before the room."""

    bid: int = 0
    ask: int = 0
    at_ns: int | None = None
    sizes: tuple[int, int] = (0, 0)


def plan(params: Params, instrument: Instrument) -> Plan:
    """Raises: BadInput where the quantity is below the venue's minimum, or reference is short on spot."""
    if params.reference < 0 and not instrument.is_perp:
        raise BadInput(f"{instrument.symbol}: reference {params.reference:g} is short, on a spot market")
    lots = None if params.quantity is None else _lots(params.quantity, instrument)
    if lots is not None and lots < instrument.min_lots:
        minimum = plain(instrument.quantity(instrument.min_lots))
        raise BadInput(
            f"{instrument.symbol}: quantity {params.quantity:g} is below the venue's minimum {minimum}"
        )
    return Plan(
        lots=lots,
        budget_micro=None if params.size_usd is None else to_micro(params.size_usd),
        share_ppm=percent_to_ppm(params.equity_pct),
        reference=_lots(params.reference, instrument),
        max_unhedged=None if params.max_unhedged is None else _lots(params.max_unhedged, instrument),
        requote_ns=seconds_to_ns(params.requote_interval_s),
        size_tolerance=params.size_tolerance_pct / 100,
    )


def quote(view: MarketView, plan: Plan, memory: Joined) -> Wanted:
    """Return a bid and an ask at the best prices of others, each within its side's room."""
    joined = memory if _may_keep(view, plan, memory) else _join(view, memory)
    joined = _sized(view, plan, joined)
    bid_size, ask_size = joined.sizes
    sides = (
        _level(view, plan, Level(Side.BUY, joined.bid, bid_size)),
        _level(view, plan, Level(Side.SELL, joined.ask, ask_size)),
    )
    levels = tuple(level for level in sides if level is not None)
    return Wanted(levels, False, "quoting" if levels else "not hedged, or below the minimum size", joined)


def _may_keep(view: MarketView, plan: Plan, memory: Joined) -> bool:
    if memory.at_ns is None or view.now_ns - memory.at_ns >= plan.requote_ns:
        return False
    return memory.bid < view.ask and memory.ask > view.bid


def _join(view: MarketView, memory: Joined) -> Joined:
    """Return the best prices. The same ones stay as old as they are: the next move is followed at once."""
    is_same = memory.at_ns is not None and (memory.bid, memory.ask) == (view.bid, view.ask)
    return memory if is_same else Joined(view.bid, view.ask, view.now_ns, memory.sizes)


def _sized(view: MarketView, plan: Plan, joined: Joined) -> Joined:
    """Return the memory with the sizes of a side in force: one that is a little off is kept.

    It is done here as the room, which comes after it, is a limit: no tolerance may exceed it.
    """
    if plan.lots is not None and joined.sizes == (plan.lots, plan.lots):
        return joined
    sizes = (
        _kept(joined.sizes[0], _size(view, plan, joined.bid), plan),
        _kept(joined.sizes[1], _size(view, plan, joined.ask), plan),
    )
    return joined if sizes == joined.sizes else msgspec.structs.replace(joined, sizes=sizes)


def _kept(size: int, wanted: int, plan: Plan) -> int:
    return size if abs(size - wanted) <= plan.size_tolerance * size else wanted


def _level(view: MarketView, plan: Plan, full: Level) -> Level | None:
    """Return the order of one side, at most what the unhedged position leaves of its room."""
    room = (full.size if plan.max_unhedged is None else plan.max_unhedged) - full.side.sign * (
        view.position - plan.reference
    )
    size = min(full.size, room)
    if size < view.sizes.minimum(full.price):
        return None
    return full if size == full.size else Level(full.side, full.price, size)


def _size(view: MarketView, plan: Plan, price: int) -> int:
    if plan.lots is not None:
        return plan.lots
    if plan.budget_micro is not None:
        return view.sizes.lots(plan.budget_micro, price)
    assert view.equity_usd is not None, "equity_pct needs equity"
    return view.sizes.lots(share_of_equity(view.equity_usd, plan.share_ppm, None), price)


def _lots(quantity: float, instrument: Instrument) -> int:
    return instrument.lots_floor(Decimal(str(quantity)))


def needs(params: Params) -> Needs:
    return Needs(equity=params.quantity is None and params.size_usd is None)


STRATEGY = Strategy("maker_hedge", Params, quote, Joined(), needs, plan, follows_position=True)
