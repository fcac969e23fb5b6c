"""Public frames: a golden payload for every message that is mapped."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unknown
from shared.messages import InstrumentInfo, Side
from shared.venues.backpack.account_mapper import private_events
from shared.venues.backpack.feed import BackpackFeed
from shared.venues.backpack.mapper import Mapper, candles_of, snapshot_of, to_instrument
from shared.venues.market_data import (
    Alive,
    BestPrices,
    DepthDiff,
    DepthSnapshot,
    MarketEvent,
    MarkPrice,
    PublicTrade,
    RawSnapshot,
    Unreadable,
)
from tests.venues.backpack.samples import INFO, MARKET

SYMBOL = "SOL_USDC_PERP"


def instrument(symbol: str, tick: str, lot: str, is_perp: bool = True) -> InstrumentInfo:
    return InstrumentInfo(
        "backpack", symbol, "X", "USDC", is_perp, tick, lot, lot, None, None, None, None, "fixed", "1"
    )


def read(data: dict[str, Any] | str, tick: str = "0.01", lot: str = "0.01") -> MarketEvent | None:
    mapper = Mapper()
    mapper.set_instruments([instrument(SYMBOL, tick, lot)])
    frame = data.encode() if isinstance(data, str) else orjson.dumps({"data": data, "stream": "x"})
    events = mapper.read(frame)
    assert len(events) <= 1
    return events[0] if events else None


def test_D01_a_depth_frame_is_a_diff_in_ticks_and_lots_with_padded_zeros_deleting() -> None:
    frame = {
        "E": 1790134357903774, "T": 1790134357900446, "U": 7501, "u": 7503, "e": "depth", "s": SYMBOL,
        "a": [["151.20", "6.94"], ["151.30", "0.00"]], "b": [["150.10", "45.05"]],
    }  # fmt: skip
    assert read(frame) == DepthDiff(
        SYMBOL, 7501, 7503, None, [(15010, 4505)], [(15120, 694), (15130, 0)], 1790134357903774000
    )


def test_D01_an_empty_depth_frame_still_carries_its_ids() -> None:
    frame = {"E": 1, "T": 1, "U": 5, "u": 5, "e": "depth", "s": SYMBOL, "a": [], "b": []}
    assert read(frame) == DepthDiff(SYMBOL, 5, 5, None, [], [], 1000)


def test_D01_a_book_ticker_is_best_prices_on_the_same_chain_of_ids() -> None:
    frame = {
        "A": "7.76", "B": "1.60", "E": 1790915525118154, "T": 1790915525118046, "a": "150.21", "b": "150.2",
        "e": "bookTicker", "s": SYMBOL, "u": 6904,
    }  # fmt: skip
    assert read(frame) == BestPrices(SYMBOL, 15020, 160, 15021, 776, 6904, 1790915525118154000)


@pytest.mark.parametrize("empty", [{"a": None, "A": None}, {"a": None, "A": "0.00"}, {}])
def test_D09_an_empty_side_is_none_never_zero(empty: dict[str, Any]) -> None:
    frame = {"B": "1", "E": 1, "T": 1, "b": "150", "e": "bookTicker", "s": SYMBOL, "u": 7, **empty}
    assert read(frame) == BestPrices(SYMBOL, 15000, 100, None, 0, 7, 1000)


@pytest.mark.parametrize(("maker_is_buyer", "side"), [(True, Side.SELL), (False, Side.BUY)])
def test_D02_buyer_is_maker_means_that_the_taker_sold(maker_is_buyer: bool, side: Side) -> None:
    frame = {
        "E": 1790915531026313, "T": 1790915531025000, "a": "66605319496", "b": "66605329178", "e": "trade",
        "m": maker_is_buyer, "p": "150.29", "q": "0.07", "s": SYMBOL, "t": 99419870,
    }  # fmt: skip
    assert read(frame) == PublicTrade(SYMBOL, side, 15029, 7, 99419870, 1790915531026313000)


def test_a_mark_price_keeps_its_three_units_of_time_and_rate_apart() -> None:
    frame = {
        "E": 1791043256641414, "T": 1791043256640942, "e": "markPrice", "f": "0.0000125",
        "i": "150.2053036", "n": 1791046800000, "p": "150.21", "s": SYMBOL,
    }  # fmt: skip
    assert read(frame) == MarkPrice(
        SYMBOL, 150.21, 150.2053036, 0.0000125, 1791046800000000000, 1791043256641414000
    )


def test_a_ticker_proves_life_and_nothing_else() -> None:
    frame = {
        "E": 1790134358087727, "V": "154927125.41812", "c": "150", "e": "ticker", "h": "151", "l": "149",
        "n": 32259, "o": "150.1", "s": SYMBOL, "v": "1801.83549",
    }  # fmt: skip
    assert read(frame) == Alive(SYMBOL, 1790134358087727000)


@pytest.mark.parametrize(
    "frame",
    [
        '{"id":null,"error":{"code":4006,"message":"Invalid stream"}}',
        "not json",
        "[]",
        '{"data":{"e":"kline","s":"SOL_USDC_PERP"},"stream":"kline.1m.SOL_USDC_PERP"}',
        '{"data":{"e":"depth","s":"SOL_USDC_PERP"},"stream":"depth.SOL_USDC_PERP"}',
        '{"data":{"E":1,"U":1,"u":1,"a":[["nan","1"]],"b":[],"e":"depth","s":"SOL_USDC_PERP"}}',
        '{"data":{"E":1,"U":1,"u":1,"a":[["1e999","1"]],"b":[],"e":"depth","s":"SOL_USDC_PERP"}}',
        '{"data":{"E":1,"U":1,"u":1,"a":[["x","1"]],"b":[],"e":"depth","s":"SOL_USDC_PERP"}}',
    ],
)
def test_what_cannot_be_read_is_told_and_never_raised(frame: str) -> None:
    assert isinstance(read(frame), Unreadable)


def test_a_symbol_whose_instrument_is_not_known_says_nothing() -> None:
    frame = b'{"data":{"E":1,"e":"ticker","s":"BTC_USDC"},"stream":"ticker.BTC_USDC"}'
    assert not Mapper().read(frame)


@given(
    tick=st.sampled_from(("0.01", "0.05", "0.25", "0.1", "0.001", "1", "5", "0.00000001", "0.0003")),
    steps=st.integers(1, 10**9),
)
def test_O06_any_multiple_of_any_tick_is_read_exactly(tick: str, steps: int) -> None:
    price = f"{Decimal(tick) * steps:f}"
    frame = {"E": 1, "U": 1, "u": 1, "e": "depth", "s": SYMBOL, "a": [[price, "1"]], "b": []}
    event = read(frame, tick=tick)
    assert isinstance(event, DepthDiff)
    assert event.asks[0][0] == steps


# --- REST ----------------------------------------------------------------------------------


def test_D14_a_rest_snapshot_is_read_whatever_its_order_and_padding() -> None:
    reply = {
        "asks": [["150.3", "1.2"], ["150.2", "5"]], "bids": [["149", "0.03"], ["150.1", "2.2"]],
        "lastUpdateId": "6904864764", "timestamp": 1790915412979224,
    }  # fmt: skip
    raw = snapshot_of(SYMBOL, reply)
    assert raw.update_id == 6904864764
    mapper = Mapper()
    with pytest.raises(Unknown, match="not known"):
        mapper.read_snapshot(raw)
    mapper.set_instruments([INFO])
    assert mapper.read_snapshot(raw) == DepthSnapshot(
        SYMBOL, 6904864764, [(14900, 3), (15010, 220)], [(15030, 120), (15020, 500)], 1790915412979224000
    )


def test_an_unreadable_snapshot_is_unknown() -> None:
    mapper = Mapper()
    mapper.set_instruments([INFO])
    with pytest.raises(Unknown):
        mapper.read_snapshot(RawSnapshot(SYMBOL, 1, [("x", "1")], [], 0))


def test_D10_the_rules_of_a_market_are_read_as_the_venue_says_them() -> None:
    assert to_instrument("backpack", MARKET) == InstrumentInfo(
        "backpack", SYMBOL, "SOL", "USDC", True, "0.01", "0.01", "0.05", None, None, "0.01", "1000", "fixed",
        "1",
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["tickSize", "stepSize", "minQuantity"])
def test_D10_a_missing_rule_is_an_error_never_a_default(missing: str) -> None:
    filters = {
        name: {key: value for key, value in rules.items() if key != missing}
        for name, rules in MARKET["filters"].items()
    }
    with pytest.raises(KeyError, match=missing):
        to_instrument("backpack", {**MARKET, "filters": filters})


# --- the feed ------------------------------------------------------------------------------


def test_D04_a_subscription_names_every_stream_of_a_symbol_and_its_pulse() -> None:
    feed = BackpackFeed()
    feed.set_instruments([INFO, instrument("SOL_USDC", "0.01", "0.01", is_perp=False)])
    perp, spot = (orjson.loads(frame) for frame in feed.subscribe([SYMBOL, "SOL_USDC"]))
    streams = ("depth", "bookTicker", "trade")
    assert perp == {
        "method": "SUBSCRIBE",
        "params": [f"{name}.{SYMBOL}" for name in (*streams, "markPrice")],
    }
    assert spot["params"] == [f"{name}.SOL_USDC" for name in (*streams, "ticker")]
    assert orjson.loads(feed.unsubscribe([SYMBOL])[0])["method"] == "UNSUBSCRIBE"


# --- recorded frames -------------------------------------------------------------------------


def test_every_recorded_frame_is_read_as_what_it_is(shared_data: Path) -> None:
    path = shared_data / "frames_backpack" / "frames.jsonl"
    if not path.exists():
        pytest.skip("there are no recorded frames")
    kinds = {
        "depth": DepthDiff,
        "bookTicker": BestPrices,
        "trade": PublicTrade,
        "markPrice": MarkPrice,
        "ticker": Alive,
    }
    private = ("orderAccepted", "triggerPlaced", "orderCancelled")
    seen = set()
    for line in path.read_bytes().splitlines():
        frame = orjson.loads(line)["frame"]
        data = frame.get("data", frame)
        if data.get("e") in private:
            assert private_events(orjson.dumps({"data": data, "stream": "account.orderUpdate"}))
        else:
            mapper = Mapper()
            mapper.set_instruments([instrument(data.get("s", "-"), "0.0001", "0.00001")])
            whole = frame if "data" in frame or "error" in frame else {"data": frame, "stream": "x"}
            (event,) = mapper.read(orjson.dumps(whole))
            assert type(event) is (Unreadable if "error" in frame else kinds[data["e"]])
        seen.add(data.get("e", "error"))
    assert seen >= {*kinds, *private, "error"}


# of 2025-07, and shapes that the API document allows
KLINE = {
    "close": "118294.6", "end": "2025-07-19 13:12:00", "high": "118297.6", "low": "118237.5",
    "open": "118238", "quoteVolume": "4106.558156", "start": "2025-07-19 13:09:00", "trades": "12",
    "volume": "0.03473",
}  # fmt: skip


def test_D11_klines_are_candles_of_the_length_that_they_really_have() -> None:
    read = candles_of("BTC_USDC_PERP", 180, [KLINE])
    assert (read.interval_s, read.rows) == (180, [(1752930540, "118297.6", "118237.5", "118294.6")])
    with pytest.raises(ValueError, match="not one of 1 s"):
        candles_of("BTC_USDC_PERP", 1, [KLINE])


def test_D11_klines_without_a_trade_have_no_price_and_are_left_out() -> None:
    later = KLINE | {"start": "2025-07-19T13:12:00", "end": "2025-07-19T13:15:00"}
    empty = {key: value for key, value in later.items() if key not in ("open", "high", "low", "close")}
    assert len(candles_of("BTC_USDC_PERP", 180, [empty, KLINE]).rows) == 1
    starts = [row[0] for row in candles_of("BTC_USDC_PERP", 180, [later, KLINE]).rows]
    assert starts == [1752930540, 1752930720]  # oldest first, whatever the order
