"""What runs jobs. This one: this process, one job after the other."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from services.replay.sweep.job import Done, Job, run_job


class Executor(Protocol):
    """Takes jobs and gives them back when they are done, in whatever order.

    workers  jobs that run at once
    """

    workers: int

    def submit(self, key: str, job: Job) -> None: ...

    def next(self) -> tuple[str, Done]:
        """Wait for any job that was submitted. Raises: BadInput of the job's; MakerdError of the workers."""
        ...


class InProcess:
    """Runs a job when it is asked for."""

    workers = 1

    def __init__(self) -> None:
        self._queued: deque[tuple[str, Job]] = deque()

    def submit(self, key: str, job: Job) -> None:
        self._queued.append((key, job))

    def next(self) -> tuple[str, Done]:
        key, job = self._queued.popleft()
        return key, run_job(job)
