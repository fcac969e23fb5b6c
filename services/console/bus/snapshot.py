"""One look at a deployment as plain values: what `makerd status --json` prints and the view draws.

Whatever is not known is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from services.console.bus.board import Board, permit_word, target_word
from services.console.running.supervisor import ProcessInfo
from shared.config import Config
from shared.halt import HaltFlags
from shared.instrument import Instrument
from shared.messages import (
    Equity,
    FeedState,
    FeedStatus,
    Level,
    Permit,
    Position,
    Quotes,
    Side,
    Target,
    Top,
    Working,
    WorkingOrder,
)

SIDE_WORDS = {Side.BUY: "buy", Side.SELL: "sell"}


def take_snapshot(
    config: Config, board: Board, processes: dict[str, ProcessInfo] | None, redis_halts: Mapping[str, str],
    now_ns: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the whole state of a deployment; a symbol of several accounts is one of each: SYMBOL@ACCOUNT.

    processes    None = supervisord does not answer
    redis_halts  flags in Redis; those in files are read here, and either halts
    """
    symbols = board.symbols()
    accounts_of = Counter(symbol for _, symbol in symbols)
    return {
        "services": {
            name: {"state": info.state, "pid": info.pid, "uptime_s": info.uptime_s}
            for name, info in sorted((processes or {}).items())
        },
        "symbols": {
            symbol if accounts_of[symbol] == 1 else f"{symbol}@{account}": symbol_state(
                config, board, account, symbol, now_ns
            )
            for account, symbol in symbols
        },
        "accounts": {account: _account_state(config, board, account, now_ns) for account in config.accounts},
        "halted": {**redis_halts, **HaltFlags(config.run_dir).read()},
    }


def symbol_state(config: Config, board: Board, account: str, symbol: str, now_ns: int) -> dict[str, Any]:
    venue = config.accounts[account].venue
    instrument = board.instrument(venue, symbol)
    top = board.newest(Top, venue, symbol, now_ns)
    feed = board.newest(FeedState, venue, symbol, now_ns)
    quotes = board.newest(Quotes, account, symbol, now_ns)
    working = board.newest(Working, account, symbol, now_ns)
    position = board.newest(Position, account, symbol, now_ns)
    permit = board.newest(Permit, account, symbol, now_ns)
    return {
        "account": account,
        "symbol": symbol,
        "feed": "unknown" if feed is None else FeedStatus(feed.status).name.lower(),
        "feed_reason": None if feed is None else feed.reason,
        "bid": _price(instrument, None if top is None else top.bid),
        "ask": _price(instrument, None if top is None else top.ask),
        "quotes": None if quotes is None or instrument is None else _levels(instrument, quotes.levels),
        "quotes_reason": None if quotes is None else quotes.reason,
        "position": None if position is None or instrument is None else _signed(instrument, position),
        "position_is_known": None if position is None else position.is_known,
        "working_orders": None
        if working is None or instrument is None
        else _orders(instrument, working.orders),
        "working_state": None if working is None else working.state,
        "rejects": None if working is None else [reject.reason for reject in working.rejects],
        "permit": permit_word(permit),
        "decisions": None if permit is None else list(permit.decisions),
        "target": target_word(board.newest(Target, account, symbol, now_ns)),
    }


def _account_state(config: Config, board: Board, account: str, now_ns: int) -> dict[str, Any]:
    equity = board.newest(Equity, account, "-", now_ns)
    exposure = 0.0
    for owner, symbol in board.symbols():
        if owner != account:
            continue
        value = _exposure(config, board, account, symbol, now_ns)
        if value is None:
            return {"equity": None if equity is None else equity.equity_usd, "exposure": None}
        exposure += value
    return {"equity": None if equity is None else equity.equity_usd, "exposure": round(exposure, 2)}


def _exposure(config: Config, board: Board, account: str, symbol: str, now_ns: int) -> float | None:
    venue = config.accounts[account].venue
    instrument = board.instrument(venue, symbol)
    top = board.newest(Top, venue, symbol, now_ns)
    position = board.newest(Position, account, symbol, now_ns)
    if position is not None and position.quantity == 0:
        return 0.0
    if instrument is None or position is None or top is None or top.bid is None or top.ask is None:
        return None
    return abs(
        instrument.notional_at(position.quantity, float(instrument.tick_size) * (top.bid + top.ask) / 2)
    )


def _price(instrument: Instrument | None, ticks: int | None) -> str | None:
    return None if instrument is None or ticks is None else instrument.price_text(ticks)


def _signed(instrument: Instrument, position: Position) -> str:
    return instrument.quantity_text(position.quantity)


def _levels(instrument: Instrument, levels: tuple[Level, ...]) -> list[dict[str, str]]:
    return [
        {
            "side": SIDE_WORDS[level.side],
            "price": instrument.price_text(level.price),
            "quantity": instrument.quantity_text(level.size),
        }
        for level in levels
    ]


def _orders(instrument: Instrument, orders: tuple[WorkingOrder, ...]) -> list[dict[str, Any]]:
    return [
        {
            "client_order_id": order.client_order_id,
            "venue_order_id": order.venue_order_id,
            "side": SIDE_WORDS[order.side],
            "price": instrument.price_text(order.price),
            "quantity": instrument.quantity_text(order.size),
            "filled": instrument.quantity_text(order.filled),
            "status": order.status.name.lower(),
        }
        for order in orders
    ]
