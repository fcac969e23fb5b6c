"""Workers of dask.distributed: processes of our own on loopback, or somebody's scheduler.

Ours have no dashboard and no fixed port, and end with the sweep however it ends: stopped at the
end or by Ctrl-C, and by themselves when their parent is gone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from services.replay.sweep.executor import Executor, InProcess
from services.replay.sweep.identity import code_digest
from services.replay.sweep.job import Done, Job, run_job
from services.replay.sweep.signals import undisturbed
from shared.errors import BadInput, Fatal, MakerdError, one_line

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 15
STOP_S = 10
#: what dask measures of itself, a hundred times a second, takes from what the workers are for
_FRUGAL = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
}
_LOOPBACK = "127.0.0.1"
_PRELOAD = "services.replay.sweep.worker"


class Dask:
    """Jobs on the workers of a client."""

    def __init__(self, client: Client) -> None:
        from distributed import as_completed

        self._client = client
        self.scheduler = str(client.scheduler_info(n_workers=0)["address"])
        self._keys: dict[str, str] = {}
        self._completed: Any = as_completed(loop=client.loop)
        self.workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))

    def submit(self, key: str, job: Job) -> None:
        # pure=False: a job that was cancelled by an earlier sweep on this scheduler is none of ours
        future = self._client.submit(run_job, job, pure=False, retries=0)
        self._keys[str(future.key)] = key
        self._completed.add(future)

    def next(self) -> tuple[str, Done]:
        future = next(self._completed)
        key = self._keys.pop(future.key)
        if future.status != "finished":
            raise _error_of(future)
        done = future.result()
        assert isinstance(done, Done)
        return key, done


def _error_of(future: Any) -> MakerdError:
    """Return what a job raised; where the worker died or cannot read our jobs, in one line."""
    error = future.exception() if future.status == "error" else None
    if isinstance(error, MakerdError):
        return error
    said = f"{type(error).__name__}: {error}" if error is not None else future.status
    return Fatal(one_line(f"sweep: a worker could not do its job: {said}"))


@contextmanager
def executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    """Yield what runs jobs: 0 workers = this process; a scheduler's address = its workers.

    Raises: BadInput for an address where none answers, or one without workers of our version.
    """
    if workers == 0 and scheduler is None:
        yield InProcess()
        return
    with ExitStack() as stack:
        client = stack.enter_context(_client(scheduler) if scheduler else _own(workers))
        if scheduler:
            _check_version(client, scheduler)
        yield Dask(client)


@contextmanager
def _own(workers: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    _quiet()
    dask.config.set(_FRUGAL)  # workers take it over
    with ExitStack() as stack:
        with undisturbed():
            try:
                # the scheduler opens an HTTP port even without a dashboard, a fixed one where none is given
                cluster = LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, host=_LOOPBACK,
                    scheduler_port=0, dashboard_address=f"{_LOOPBACK}:0", preload=_PRELOAD,
                    scheduler_kwargs={"dashboard": False}, worker_dashboard_address=None, memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )  # fmt: skip
            except (OSError, RuntimeError) as error:
                raise Fatal(one_line(f"sweep: {workers} workers could not be started: {error}")) from None
            stack.callback(_close, cluster)
        client = stack.enter_context(Client(cluster, set_as_default=False))
        yield client


def _close(cluster: Any) -> None:
    with undisturbed():  # a second Ctrl-C must not leave half of it
        cluster.close(timeout=STOP_S)


@contextmanager
def _client(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    _quiet()
    try:
        client = Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput(one_line(f"--scheduler {scheduler!r}: no scheduler answers: {error}")) from None
    with client:
        yield client


def _check_version(client: Client, scheduler: str) -> None:
    """Results of another version of the code must not be mixed with ours."""
    found = client.run(code_digest, on_error="return")
    if not found:
        raise BadInput(f"--scheduler {scheduler!r}: has no workers; start some: dask worker {scheduler}")
    for address, digest in sorted(found.items()):
        if digest != code_digest():
            raise BadInput(f"--scheduler {scheduler!r}: worker {address} has not this version of makerd")


def _quiet() -> None:
    """What dask logs of workers that we stop is nobody's concern; what matters is raised."""
    for name in ("distributed", "bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def default_workers() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
