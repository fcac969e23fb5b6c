"""The loop of a sweep: propose, run what is not known yet, tell in the order of the proposals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.replay.assembly import assemble
from services.replay.sweep.executor import Executor
from services.replay.sweep.identity import key_of
from services.replay.sweep.job import BOUNDING, JUDGED, Done, Job
from services.replay.sweep.journal import Journal
from services.replay.sweep.plan import Plan
from services.replay.sweep.proposing import Bayes, Grid, Proposer
from services.replay.sweep.space import Values, applied
from services.replay.sweep.trial import State, Trial, winners
from shared.config import Config
from shared.errors import BadInput

#: jobs that wait at each worker of a grid, so that none is ever idle
_AHEAD = 2


@dataclass(slots=True)
class _Waiting:
    """A job that is being run, and the trials that wait for it: some may be the same."""

    values: Values
    data: str
    job: Job
    trials: list[Trial] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """Jobs: all that there may be, those over, those of them that were known from before."""

    total: int
    over: int = 0
    known: int = 0


class Sweep:
    """One run of a plan."""

    def __init__(
        self, plan: Plan, executor: Executor, journal: Journal, check: Callable[[Config], None],
        on_progress: Callable[[int], None] = lambda _done: None,
    ) -> None:  # fmt: skip
        """check: raises BadInput for a configuration that no deployment would take."""
        self._plan, self._executor, self._journal, self._check = plan, executor, journal, check
        self._on_progress = on_progress
        self._waiting: dict[str, _Waiting] = {}
        self.trials: list[Trial] = []
        self.counts = jobs_of(plan)

    def run(self) -> list[Trial]:
        """Return every trial, in the order of the proposals. Raises: BadInput, MakerdError."""
        plan = self._plan
        proposer: Proposer = Grid(plan.space, plan.config) if plan.method == "grid" else Bayes(plan)
        most = plan.parallel if plan.method == "bayes" else max(1, self._executor.workers * _AHEAD)
        under_way: deque[Trial] = deque()
        while True:
            # one is told, then one is proposed: what a proposal knows does not depend on who was faster
            if len(under_way) < most and (values := proposer.propose()) is not None:
                under_way.append(self._start(values))
            elif not under_way:
                break
            elif under_way[0].is_over:
                trial = under_way.popleft()
                self._judge(trial)
                proposer.told(trial.number, trial.numbers)
            else:
                self._take_one()
        self._bound(winners(self.trials, plan.goal, plan.bounds))
        return self.trials

    def _start(self, values: Values) -> Trial:
        trial = Trial(len(self.trials), values, None)
        self.trials.append(trial)
        try:
            trial.config = applied(self._plan.config, values)
            self._check(trial.config)
            for symbols in self._plan.symbols.values():
                assemble(trial.config, symbols)
        except BadInput as error:
            trial.state, trial.reason = State.REFUSED, str(error)
            self._count(len(self._plan.data))
            return trial
        self._request(trial, JUDGED)
        return trial

    def _request(self, trial: Trial, models: tuple[str, ...]) -> None:
        assert trial.config is not None
        trial.waiting = set(self._plan.data)
        for name, texts in self._plan.data.items():
            job = Job(trial.config, texts, self._plan.duration_s, models)
            key = key_of(job)
            known = self._journal.get(key)
            if known is not None:
                self.counts.known += 1
                self._settle(trial, name, known)
            elif key in self._waiting:
                self._waiting[key].trials.append(trial)
            else:
                self._waiting[key] = _Waiting(trial.values, name, job, [trial])
                self._executor.submit(key, job)

    def _take_one(self) -> None:
        key, done = self._executor.next()
        waiting = self._waiting.pop(key)
        self._journal.put(key, waiting.values, waiting.data, done)
        for trial in waiting.trials:
            self._settle(trial, waiting.data, done)

    def _settle(self, trial: Trial, name: str, done: Done) -> None:
        trial.waiting.discard(name)
        self._count(1)
        if done.problem:
            trial.reason = trial.reason or f"{name}: {done.problem}"
        trial.gaps_s[name] = done.gaps_s
        for model, numbers in done.numbers.items():
            trial.parts.setdefault(model, {})[name] = numbers

    def _judge(self, trial: Trial) -> None:
        """Decide how a trial ended, with everything in."""
        if trial.state is State.REFUSED:
            return
        goal = self._plan.goal
        numbers = trial.together(JUDGED[0], self._plan.data)
        if trial.reason or numbers is None:
            trial.state = State.FAILED
        elif goal.value(numbers) is None:
            trial.state, trial.reason = State.FAILED, f"{goal.name} is not known: nothing traded, or no price"
        else:
            trial.numbers, trial.reason = numbers, goal.broken(numbers)
            trial.state = State.BROKEN if trial.reason else State.GOOD

    def _bound(self, trials: list[Trial]) -> None:
        """Replay the best under the other fill models too."""
        self.counts.total += (len(trials) - self._plan.bounds) * len(self._plan.data)
        for trial in trials:
            self._request(trial, BOUNDING)
        while any(trial.waiting for trial in trials):
            self._take_one()
        for trial in trials:
            found = {model: trial.together(model, self._plan.data) for model in BOUNDING}
            trial.bounds = {model: numbers for model, numbers in found.items() if numbers is not None}

    def _count(self, jobs: int) -> None:
        self.counts.over += jobs
        self._on_progress(self.counts.over)


def jobs_of(plan: Plan) -> Counts:
    """Return how many jobs a plan may come to, the bounds of the best included."""
    return Counts((plan.trial_count + plan.bounds) * len(plan.data))
