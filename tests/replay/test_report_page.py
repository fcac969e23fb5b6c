"""The report of a replay: it is read back as it was, and its page is whole whatever the run was like."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest

from services.replay.report.page import page_of
from services.replay.report.writing import MODELS, ReplayReport, read_report, write_report
from shared.accounting.report import Report
from shared.accounting.rows import rows_of, side_by_side
from shared.errors import BadInput
from shared.messages import Side
from tests.accounting.scene import MS, S, fill, order, stats, top, working

EPOCH_NS = 1_723_075_200 * S


def run_of(seed: int, *, fills: int = 40, events: int = 4_000) -> Report:
    """Return a session in a market that wanders, quoting one tick behind the best."""
    chance, session = random.Random(seed), stats()
    now_ns, bid = 0, 10_000
    for at in range(events):
        now_ns += chance.randrange(1, 100 * MS)
        bid += chance.choice([-1, 0, 0, 1])
        session.on_top(top(bid, bid + 2), now_ns)
        if at % 10 == 0:
            session.on_working(working(order(Side.BUY, bid - 1, 5), order(Side.SELL, bid + 3, 5)), now_ns)
        if fills and at % (events // fills) == 0:
            side = Side.BUY if at // (events // fills) % 2 else Side.SELL
            session.on_fill(fill(side, bid if side is Side.BUY else bid + 2, 5, fee="-0.0005"), now_ns)
    return session.report()


class Reader(HTMLParser):
    """Collects what a page would fetch, its ids, and whether its tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.cells: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "tr":
            self.cells.append(0)
        if tag == "td":
            self.cells[-1] += 1
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def report() -> ReplayReport:
    runs = {"optimistic": run_of(1), "queue": run_of(2), "pessimistic": run_of(3, fills=0)}
    return ReplayReport(
        title="ETH <two_sided>", runs=runs, epoch_ns=EPOCH_NS, settings={"strategy": "two_sided & more"},
        notes=("the recording has a gap of 3.2 s",),
    )  # fmt: skip


def test_a_report_is_read_back_as_it_was_written(tmp_path: Path, report: ReplayReport) -> None:
    json_path, html_path = write_report(tmp_path / "new" / "folder", report)
    assert read_report(json_path) == report
    run = orjson.loads(json_path.read_bytes())["runs"]["queue"]
    parts = [Decimal(value) for value in run["money"]["parts"].values()]
    assert sum(parts, Decimal(0)) == Decimal(run["money"]["net"]) == report.runs["queue"].money.net
    assert html_path.stat().st_size > 1_000_000, "the plotting library is inside"


def test_the_page_needs_no_network_and_shows_the_models_in_order(report: ReplayReport) -> None:
    page = page_of(report)
    reader = read(page)
    assert reader.fetched == []
    assert reader.ids.count("plot0") == 1 and len(set(reader.ids)) == len(reader.ids) == 7
    places = [page.index(f"<th>{name}</th>") for name in MODELS.values()]
    assert places == sorted(places)
    assert set(reader.cells) <= {0, 2, 4}, "every row of the figures has a cell a model"
    assert "ETH &lt;two_sided&gt;" in page and "two_sided &amp; more" in page and "gap of 3.2 s" in page
    assert "2024-08-08T00:0" in page, "the axis is the wall clock of the recording"


@pytest.mark.parametrize(
    "runs",
    [
        {},
        {"queue": stats().report()},
        {"queue": run_of(4, fills=0)},
        {"queue": run_of(5, fills=1, events=2), "another": run_of(6)},
    ],
    ids=["nothing", "no market", "no fills", "one fill"],
)
def test_a_page_without_fills_or_market_is_whole(runs: dict[str, Report]) -> None:
    page = page_of(ReplayReport(title="empty", runs=runs))
    read(page)
    body = page[page.rindex("</head>") :]
    assert "NaN" not in body and "Infinity" not in body
    if not any(run.activity.fills for run in runs.values()):
        assert "no fills" in body or "nothing was replayed" in body


def test_a_row_says_what_is_unknown_and_money_to_the_last_digit(report: ReplayReport) -> None:
    rows = {row.name: row.value for row in rows_of(report.runs["queue"])}
    parts = ("spread captured", "inventory", "fees", "rebates", "funding")
    shown = [Decimal(rows[f"{name}, USDC"].replace(",", "")) for name in parts]
    assert sum(shown, Decimal(0)) == Decimal(rows["net, USDC"].replace(",", ""))
    empty = {row.name: row.value for row in rows_of(report.runs["pessimistic"])}
    assert (empty["cost per 10,000, USDC"], empty["goal per 10,000"]) == ("-", "1: unknown")
    assert re.fullmatch(r"[+-]\d+\.\d{3} bps of \d+ fills", rows["after 1 s"])


def test_reports_side_by_side_have_a_value_each_in_every_line(report: ReplayReport) -> None:
    lines = side_by_side(report.runs)
    assert {len(line.values) for line in lines} == {3}
    assert len({(line.group, line.name) for line in lines}) == len(lines)


def test_a_report_that_is_none_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(BadInput, match=r"report\.json"):
        read_report(path)
    path.write_text('{"title": 7}')
    with pytest.raises(BadInput, match="is not a replay report"):
        read_report(path)


def test_a_directory_that_cannot_be_is_one_clear_line(tmp_path: Path, report: ReplayReport) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write_report(tmp_path / "file", report)
