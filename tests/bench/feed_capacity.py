"""How many frames a second market data takes, its consumers attached, without falling behind.

Ten symbols; a frame is a depth change, a bookTicker or (one in ten) a trade. Attached are
the real signals process, two real quoters, and a subscriber to everything that risk
listens to, which also measures: the age of a state is from the stamp in its venue frame to
its arrival there. Falling behind shows as ages that grow, as frames that the venue cannot
get rid of, and as last ids that never arrive.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import requests

from shared.clock import NS_PER_MS, NS_PER_S
from shared.messages import FeedState, FeedStatus, Top
from shared.stats import quantile
from tests.bench.deployment import VENUE, one_sided, write_config
from tests.bench.listener import Heard, read
from tests.bench.machine import usage_of
from tests.bench.processes import BenchFailure, Child, Children
from tests.bench.results import Result, distribution

SYMBOLS = [f"S{number:02}_USDC_PERP" for number in range(1, 11)]
QUOTED = SYMBOLS[:2]
LISTENED = ("InstrumentInfo", "FeedState", "Top", "Trade", "Mark")
START_S = 20.0
SETTLE_S = 1.0
CATCH_UP_S = 1.0
#: a median age that has grown by more than this from the first to the last quarter is growing lag
MAX_GROWTH_MS = 20.0
#: the source itself must have sent nearly what was asked for
MIN_SENT_SHARE = 0.97


@dataclass(frozen=True, slots=True)
class Load:
    """What one rate did: ages in ms in order of arrival; `problem` "" = it holds."""

    rate: float
    frames: int
    states: int
    ages_ms: list[float]
    cpu_share: float
    problem: str


def measure(directory: Path, rates: Sequence[int], seconds: float) -> list[Result]:
    """Return the highest of the ascending rates that holds, and what it was like there."""
    with Children(directory / "logs") as children:
        bench = _Bench(directory, children)
        held: Load | None = None
        failed: Load | None = None
        for rate in rates:
            load = bench.run(rate, seconds)
            if load.problem:
                failed = load
                break
            held = load
    return _results(held, failed)


def _results(held: Load | None, failed: Load | None) -> list[Result]:
    shown = held or failed
    assert shown is not None
    note = f"{len(SYMBOLS)} symbols; {shown.frames:,} frames in, {shown.states:,} states published; "
    note += f"marketdata used {shown.cpu_share:.0%} of a processor"
    if failed is not None:
        note += f"; {failed.rate:,.0f} frames/s do not hold: {failed.problem}"
    else:
        note += "; no higher rate was tried"
    value = 0.0 if held is None else held.rate
    greatest = round(max(shown.ages_ms), 3)
    return [
        Result("feed_capacity", "frames/s", shown.frames, value=value, note=note),
        distribution("feed_capacity_age", "ms", shown.ages_ms, "venue frame to a consumer, at that rate"),
        Result("feed_capacity_greatest_age", "ms", len(shown.ages_ms), value=greatest),
        Result("feed_capacity_states", "states/s", shown.states, value=round(shown.states / _seconds(shown))),
    ]


def _seconds(load: Load) -> float:
    return load.frames / load.rate


class _Bench:
    """The processes of this benchmark, all feeds live."""

    def __init__(self, directory: Path, children: Children) -> None:
        self._directory, self._children = directory, children
        ready_file = directory / "source.json"
        children.start(
            "source", "tests.bench.frame_source", "--ready-file", str(ready_file),
            "--symbols", ",".join(SYMBOLS),
        )  # fmt: skip
        children.wait_until(ready_file.exists, "the frame source serves", START_S)
        self._url = orjson.loads(ready_file.read_bytes())["control"]
        self._session = requests.Session()
        self._session.trust_env = False
        config = write_config(directory, ready_file, {symbol: one_sided() for symbol in QUOTED})
        self._market_data = children.start(
            "marketdata", "services.marketdata", "--config", str(config), "--venue", VENUE
        )
        children.start("signals", "services.signals", "--config", str(config))
        for symbol in QUOTED:
            children.start(f"quoter.{symbol}", "services.quoter", "--config", str(config), "--symbol", symbol)

    def run(self, rate: int, seconds: float) -> Load:
        out = self._directory / f"heard-{rate}"
        listener = self._listen(out)
        try:
            time.sleep(SETTLE_S)
            self._get(f"/_bench/rate?per_s={rate}")
            time.sleep(SETTLE_S)
            frames, cpu_s = self._get("/_bench/counts")["frames"], usage_of(self._market_data.pid).cpu_s
            start_ns = time.monotonic_ns()
            time.sleep(seconds)
            counts, end_ns = self._get("/_bench/counts"), time.monotonic_ns()
            cpu_s = usage_of(self._market_data.pid).cpu_s - cpu_s
            self._get("/_bench/rate?per_s=0")
            last_ids = self._get("/_bench/counts")["last_ids"]
            time.sleep(CATCH_UP_S)
            self._children.check()
        finally:
            self._get("/_bench/rate?per_s=500")
            self._children.stop_one(listener)
        frames = counts["frames"] - frames
        elapsed_s = (end_ns - start_ns) / NS_PER_S
        return _judged(rate, frames, elapsed_s, cpu_s, list(read(out)), (start_ns, end_ns), last_ids)

    def _listen(self, out: Path) -> Child:
        prefixes = ",".join(f"{kind}.{VENUE}.{symbol}." for kind in LISTENED for symbol in SYMBOLS)
        return self._children.start(
            "listener", "tests.bench.listener", "--run-dir", str(self._directory),
            "--to", f"marketdata.{VENUE}", "--prefixes", prefixes, "--out", str(out),
        )  # fmt: skip

    def _get(self, path: str) -> Any:
        reply = self._session.get(self._url + path, timeout=START_S)
        reply.raise_for_status()
        return orjson.loads(reply.content)


def _judged(
    rate: int, frames: int, elapsed_s: float, cpu_s: float, heard: list[Heard],
    window: tuple[int, int], last_ids: dict[str, int],
) -> Load:  # fmt: skip
    ages_ms, told = _ages_ms(heard, window)
    if not ages_ms:
        raise BenchFailure(f"no state arrived at {rate} frames/s")
    problem = ""
    quarter = max(1, len(ages_ms) // 4)
    growth_ms = quantile(sorted(ages_ms[-quarter:]), 0.5) - quantile(sorted(ages_ms[:quarter]), 0.5)
    behind = [symbol for symbol, last in last_ids.items() if told.get(symbol, 0) < last]
    if frames < MIN_SENT_SHARE * rate * elapsed_s:
        problem = f"only {frames / elapsed_s:,.0f} frames/s could be sent"
    elif growth_ms > MAX_GROWTH_MS:
        problem = f"the median age grew by {growth_ms:.0f} ms"
    elif behind:
        problem = f"the last ids of {', '.join(behind)} did not arrive within {CATCH_UP_S:g} s"
    elif any(isinstance(one.message, FeedState) and _is_bad(one, window) for one in heard):
        problem = "a feed was not live"
    return Load(frames / elapsed_s, frames, len(ages_ms), ages_ms, cpu_s / elapsed_s, problem)


def _is_bad(heard: Heard, window: tuple[int, int]) -> bool:
    state = heard.message
    assert isinstance(state, FeedState)
    return window[0] <= heard.arrived_ns <= window[1] and state.status is not FeedStatus.LIVE


def _ages_ms(heard: list[Heard], window: tuple[int, int]) -> tuple[list[float], dict[str, int]]:
    """Return the age of every new Top of the window, and the last id that was told of each symbol."""
    wall_offset_ns = time.time_ns() - time.monotonic_ns()
    ages_ms: list[float] = []
    told: dict[str, int] = {}
    for one in heard:
        top = one.message
        if not isinstance(top, Top) or top.venue_ns is None or top.update_id <= told.get(top.symbol, 0):
            continue
        told[top.symbol] = top.update_id
        if window[0] <= one.arrived_ns <= window[1]:
            ages_ms.append((one.arrived_ns + wall_offset_ns - top.venue_ns) / NS_PER_MS)
    return ages_ms, told
