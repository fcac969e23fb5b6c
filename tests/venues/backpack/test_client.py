"""The REST clients on the local venue: every endpoint, and what its faults become."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from shared.clock import SystemClock
from shared.errors import RateLimited, Unknown
from shared.instrument import Instrument
from shared.messages import Side
from shared.secret import Secret
from shared.venues.access import Endpoints, Keys
from shared.venues.backpack.client import BackpackAccount, BackpackPublic
from shared.venues.backpack.rest import Rest
from shared.venues.clock_offset import ClockOffset
from tests.exchange.wire_client import WireClient
from tests.fixtures.venue import VenueProcess, running_venue
from tests.venues.backpack.samples import MARKET

SYMBOL = "SOL_USDC_PERP"
CLIENT_ID = 77 << 24


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueProcess]:
    with running_venue(
        "--market", "synthetic", "--seed", "7", "--symbols", "SOL_USDC_PERP,SOL_USDC"
    ) as running:
        yield running


@pytest.fixture
def endpoints(venue: VenueProcess) -> Iterator[Endpoints]:
    venue.clear_faults()
    yield Endpoints(venue.ready["rest"], venue.ready["ws"])
    venue.clear_faults()


@pytest.fixture
def spent() -> list[int]:
    return []


@pytest.fixture
def public(endpoints: Endpoints) -> Iterator[BackpackPublic]:
    client = BackpackPublic("backpack", endpoints)
    yield client
    client.close()


@pytest.fixture
def account(venue: VenueProcess, endpoints: Endpoints, spent: list[int]) -> Iterator[BackpackAccount]:
    maker = venue.ready["accounts"][0]
    keys = Keys(maker["api_key"], Secret(maker["api_secret"]))
    client = BackpackAccount(endpoints, keys, ClockOffset(SystemClock()), spent.append)
    yield client
    client.close()


def resting(venue: VenueProcess, client_id: int, quantity: str = "1") -> str:
    """Place a bid far below the market; return its id."""
    answer = venue.maker.place(
        symbol=SYMBOL, side="Bid", orderType="Limit", price=_far_bid(venue), quantity=quantity,
        clientId=client_id, postOnly=True,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def take(client: WireClient, side: str, quantity: str, client_id: int) -> None:
    """Trade at the market."""
    answer = client.place(
        side=side, orderType="Market", quantity=quantity, clientId=client_id, price=None, postOnly=None
    )
    assert answer.status_code == 200, answer.text


def _far_bid(venue: VenueProcess) -> str:
    best = Decimal(venue.maker.public("/api/v1/depth", symbol=SYMBOL).json()["bids"][-1][0])
    return f"{(best * Decimal('0.95')).quantize(Decimal('0.01')):f}"


def test_D10_instruments_are_read_from_the_venue(public: BackpackPublic) -> None:
    instruments = {info.symbol: Instrument.from_info(info) for info in public.instruments()}
    assert instruments.keys() == {"SOL_USDC_PERP", "SOL_USDC"}
    assert (instruments[SYMBOL].is_perp, instruments[SYMBOL].tick_size) == (True, Decimal("0.01"))
    assert not instruments["SOL_USDC"].is_perp


@pytest.mark.parametrize(
    ("group", "rule", "value"),
    [
        ("price", "tickSize", None), ("price", "tickSize", "0"), ("price", "tickSize", "Infinity"),
        ("quantity", "stepSize", "none"), ("quantity", "minQuantity", None), ("price", "minPrice", "x"),
        ("price", "maxPrice", "Infinity"),
        ("price", None, None),
    ],
)  # fmt: skip
def test_D10_a_listing_with_absurd_rules_is_left_out_and_named_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    group: str, rule: str | None, value: str | None,
) -> None:  # fmt: skip
    odd = {**MARKET, "symbol": "ODD_USDC", "filters": {**MARKET["filters"]}}
    if rule is None:
        del odd["filters"][group]
    else:
        odd["filters"][group] = {**MARKET["filters"][group], rule: value}
    markets = [odd, MARKET]
    monkeypatch.setattr(Rest, "get", lambda *_: markets)
    public = BackpackPublic("backpack", Endpoints("http://127.0.0.1:1", ""))
    assert [info.symbol for info in public.instruments()] == [SYMBOL]
    public.instruments()
    told = [line for line in caplog.records if getattr(line, "symbol", "") == "ODD_USDC"]
    assert len(told) == 1, "told once, not at every read"
    markets.remove(MARKET)
    with pytest.raises(Unknown, match="not one market"):
        public.instruments()
    public.close()


def test_depth_and_time_are_read(public: BackpackPublic) -> None:
    raw = public.depth(SYMBOL, 5)
    assert (raw.symbol, len(raw.bids), len(raw.asks)) == (SYMBOL, 5, 5)
    assert raw.update_id > 0
    offset = ClockOffset(SystemClock())
    offset.measure(public.server_time_ms)
    ahead, error = offset.ahead_ms(), offset.error_ms()
    assert ahead is not None
    assert error is not None
    assert abs(ahead) <= error + 5


def test_open_orders_are_found_by_client_id_while_they_rest_and_afterwards(
    venue: VenueProcess, account: BackpackAccount
) -> None:
    order_id = resting(venue, CLIENT_ID + 1)
    (order,) = [order for order in account.open_orders(SYMBOL) if order.venue_order_id == order_id]
    assert (order.client_order_id, order.side, order.is_live) == (CLIENT_ID + 1, Side.BUY, True)
    found = account.find_order(SYMBOL, CLIENT_ID + 1)
    assert found is not None
    assert found.venue_order_id == order_id
    venue.maker.cancel(symbol=SYMBOL, orderId=order_id)
    assert not account.open_orders()
    gone = account.find_order(SYMBOL, CLIENT_ID + 1)
    assert gone is not None
    assert (gone.status, gone.is_live) == ("cancelled", False)
    assert account.find_order(SYMBOL, CLIENT_ID + 2) is None, "the venue never had it"
    newest = account.recent_orders()[-1]
    assert newest.client_order_id == CLIENT_ID + 1
    assert not newest.is_live


def test_fills_positions_balances_and_equity_after_a_trade(
    venue: VenueProcess, account: BackpackAccount
) -> None:
    before = account.equity()
    take(venue.maker, "Bid", "2", CLIENT_ID + 10)
    fills = [fill for fill in account.fills(0) if fill.client_order_id == CLIENT_ID + 10]
    assert sum(fill.quantity for fill in fills) == 2
    assert all((fill.side, fill.is_maker, fill.fee_asset) == (Side.BUY, False, "USDC") for fill in fills)
    assert all(fill.fee > 0 for fill in fills)
    since_ms = fills[-1].venue_ns // 1_000_000
    assert account.fills(since_ms, SYMBOL)[-1] == fills[-1]
    assert not account.fills(since_ms + 60_000)
    (position,) = account.positions()
    assert (position.symbol, position.quantity) == (SYMBOL, Decimal(2))
    assert position.entry_price is not None
    (usdc,) = [balance for balance in account.balances() if balance.asset == "USDC"]
    assert usdc.total > 0
    assert abs(account.equity().equity - before.equity) < 10
    assert list(account.funding(0)) == []


def test_all_pages_of_the_fills_are_read_oldest_first_and_none_twice(
    account: BackpackAccount, monkeypatch: pytest.MonkeyPatch, venue: VenueProcess
) -> None:
    monkeypatch.setattr("shared.venues.backpack.client.PAGE_SIZE", 2)
    for number in range(5):
        take(venue.maker, "Ask", "0.1", CLIENT_ID + 20 + number)
    fills = account.fills(0)
    assert len(fills) >= 5
    assert len({(fill.trade_id, fill.venue_order_id) for fill in fills}) == len(fills)
    assert [fill.venue_ns for fill in fills] == sorted(fill.venue_ns for fill in fills)


def test_O05_a_429_is_told_with_its_time_and_not_asked_again(
    venue: VenueProcess, account: BackpackAccount, spent: list[int]
) -> None:
    venue.fault("reject_429", retry_after=7)
    with pytest.raises(RateLimited) as limited:
        account.positions()
    assert limited.value.retry_after_s == 7
    assert spent == [1]


def test_L04_a_read_that_fails_is_tried_again_with_a_new_stamp_and_signature(
    venue: VenueProcess, account: BackpackAccount, spent: list[int]
) -> None:
    venue.fault("error_5xx", status=503, times=2)
    account.positions()
    assert spent == [1, 1, 1], "every attempt is counted"
    venue.fault("drop_reply", times=1, path="/api/v1/position")
    account.positions()


def test_L02_a_read_that_keeps_failing_is_unknown_never_empty(
    venue: VenueProcess, account: BackpackAccount
) -> None:
    venue.fault("error_5xx", status=502)
    for read in (account.positions, account.open_orders, account.balances, account.equity):
        with pytest.raises(Unknown, match="HTTP 502"):
            read()


def test_L02_a_venue_that_is_not_there_is_unknown_and_names_no_secret() -> None:
    keys = Keys("key", Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    nowhere = BackpackAccount(Endpoints("http://127.0.0.1:1", ""), keys, ClockOffset(SystemClock()))
    with pytest.raises(Unknown, match="GET /api/v1/position: ConnectionError") as unknown:
        nowhere.positions()
    assert unknown.value.__cause__ is None
    assert "AAECAw" not in repr(unknown.value)


def test_D15_a_proxy_that_fails_is_unknown_and_its_credentials_are_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://name:s3cret@127.0.0.1:1")
    for name in ("HTTPS_PROXY", "https_proxy", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    public = BackpackPublic("backpack", Endpoints("https://venue.example", ""))
    with pytest.raises(Unknown, match="GET /api/v1/time: ProxyError") as unknown:
        public.server_time_ms()
    assert "s3cret" not in repr(unknown.value)
    public.close()


def test_a_clock_that_is_off_is_refused_and_a_measured_one_is_not(
    venue: VenueProcess, endpoints: Endpoints, public: BackpackPublic
) -> None:
    venue.fault("clock_skew", skew_ms=60_000)
    maker = venue.ready["accounts"][0]
    offset = ClockOffset(SystemClock())
    account = BackpackAccount(endpoints, Keys(maker["api_key"], Secret(maker["api_secret"])), offset)
    with pytest.raises(Unknown, match="INVALID_CLIENT_REQUEST"):
        account.positions()
    offset.measure(public.server_time_ms)
    account.positions()


def test_D11_candles_of_a_second_are_those_of_the_trades(venue: VenueProcess, public: BackpackPublic) -> None:
    take(venue.maker, "Bid", "0.5", 0)
    now_s = public.server_time_ms() // 1000
    found = public.candles(SYMBOL, now_s - 1_000)
    assert (found.symbol, found.interval_s) == (SYMBOL, 1)
    assert found.rows and now_s - 60 <= found.rows[-1][0] <= now_s + 1
    for _, high, low, close in found.rows:
        assert Decimal(low) <= Decimal(close) <= Decimal(high)
    with pytest.raises(Unknown):
        public.candles("NO_SUCH", now_s - 10)
