"""Memory of each process, read while it quotes."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.machine import usage_of
from tests.bench.results import Result
from tests.bench.stack import Running

MIB = 1024 * 1024


def of_process(service: str, pid: int) -> Running:
    return Running(service, usage_of(pid))


def results(running: Sequence[Running]) -> list[Result]:
    """Return one result per service; of several processes of one service the largest counts."""
    largest: dict[str, Running] = {}
    count: dict[str, int] = {}
    for one in running:
        count[one.service] = count.get(one.service, 0) + 1
        if one.service not in largest or one.usage.rss > largest[one.service].usage.rss:
            largest[one.service] = one
    return [_result(one, count[service]) for service, one in largest.items()]


def _result(one: Running, count: int) -> Result:
    note = "resident" if one.usage.pss is None else f"resident; {one.usage.pss / MIB:.1f} MiB not shared"
    return Result(f"memory_{one.service}", "MiB", count, value=round(one.usage.rss / MIB, 1), note=note)
