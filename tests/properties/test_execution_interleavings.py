"""All interleavings of requests, replies, stream, reads, fills and losses, in random order.

What must hold at every step is judged at the venue, not in our books: the venue's position,
its open orders and what is still under way to it.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.execution.orders.reconcile import reconcile
from services.execution.sending.admission import permitted
from services.execution.sending.agreement import waits_for_venue
from services.execution.sending.patience import is_too_early
from shared.clock import NS_PER_MS
from shared.messages import Side
from tests.execution.small_venue import SYMBOL
from tests.execution.world import World, ask, bid

LIMIT = 25
prices = st.integers(-6, 6)
#: up to a whole side: what rests, what is held and what is reduced at once must compete for the limit
sizes = st.sampled_from([1, 5, 12, 25, 50])
levels = st.lists(st.tuples(st.integers(0, 3), sizes), max_size=2)
which = st.integers(0, 5)


class Interleavings(RuleBasedStateMachine):
    """One symbol, a permit of 25 lots, and a network that does what it likes."""

    exclusive = False

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.world.start()
        self.world.permit(LIMIT, max_order=10 * LIMIT)
        self.world.top(9_999, 10_001)

    # --- wanted

    @rule(middle=prices, bids=levels, asks=levels)
    def want(self, middle: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        levels = [bid(9_999 + middle - away, size, tolerance=1) for away, size in bids]
        levels += [ask(10_001 + middle + away, size) for away, size in asks]
        if self.exclusive:
            levels = [level for level in levels if level.side is levels[0].side]
        self.world.quote(*levels, exclusive=self.exclusive)

    @rule()
    def want_nothing(self) -> None:
        self.world.quote(exclusive=self.exclusive)

    @precondition(lambda self: not self.exclusive)
    @rule(maximum=st.integers(0, 10), max_slice=st.sampled_from([5, 25]))
    def reduce(self, maximum: int, max_slice: int) -> None:
        self.world.top(9_999, 10_001)
        self.world.target(-maximum, maximum, max_slice=max_slice)

    # --- the network

    @precondition(lambda self: self.world.requests)
    @rule(which=which, reject=st.sampled_from([None, None, None, "post_only", "insufficient_funds"]))
    def arrive(self, which: int, reject: str | None) -> None:
        self.world.arrive(which % len(self.world.requests), reject)

    @precondition(lambda self: self.world.requests)
    @rule(which=which, dice=st.integers(0, 3))
    def vanish(self, which: int, dice: int) -> None:
        if not dice:
            self.world.vanish(which % len(self.world.requests))

    @precondition(lambda self: self.world.requests)
    @rule(which=which)
    def time_out(self, which: int) -> None:
        self.world.time_out(which % len(self.world.requests))

    @precondition(lambda self: self.world.replies)
    @rule(which=which, is_lost=st.sampled_from([False, False, False, True]))
    def reply(self, which: int, is_lost: bool) -> None:
        self.world.reply(which % len(self.world.replies), is_lost)

    @precondition(lambda self: self.world.stream)
    @rule()
    def tell(self) -> None:
        self.world.tell()

    @precondition(lambda self: self.world.reads)
    @rule(which=which)
    def look(self, which: int) -> None:
        self.world.look(which % len(self.world.reads))

    @precondition(lambda self: any(asked.is_answered for asked in self.world.reads))
    @rule()
    def answer(self) -> None:
        index = next(i for i, asked in enumerate(self.world.reads) if asked.is_answered)
        self.world.answer(index)

    @precondition(lambda self: self.world.reads)
    @rule(dice=st.integers(0, 9))
    def fail_read(self, dice: int) -> None:
        if dice:
            self.world.look()
            self.world.answer()
        else:
            self.world.fail_read()

    @rule()
    def flow(self) -> None:
        """For a moment the network is good."""
        self.world.settle()

    # --- the market and time

    @precondition(lambda self: self.world.ours())
    @rule(which=which, lots=st.sampled_from([1, 5, 12, 20, 50]))
    def trade(self, which: int, lots: int) -> None:
        orders = self.world.ours()
        order = orders[which % len(orders)]
        self.world.fill(order, min(lots, order.leaves))

    @precondition(lambda self: self.world.ours())
    @rule(side=st.sampled_from([Side.BUY, Side.SELL]))
    def sweep(self, side: Side) -> None:
        """The market goes through everything that rests on one side, and that is told."""
        for order in self.world.ours():
            if order.side is side:
                self.world.fill(order, order.leaves)
        self.world.settle()

    @rule(side=st.sampled_from([Side.BUY, Side.SELL]))
    def lean(self, side: Side) -> None:
        """As much as the limit allows rests on one side alone: the next sweep, or slice, meets it."""
        level = bid(9_990, 2 * LIMIT) if side is Side.BUY else ask(10_010, 2 * LIMIT)
        self.world.quote(level, exclusive=self.exclusive)
        self.world.settle()

    @rule(ms=st.sampled_from([1, 5, 20, 20, 20, 100, 300, 600, 2_600]))
    def wait(self, ms: int) -> None:
        """Let time pass; a tick that is said to do nothing does nothing."""
        core, now_ns = self.world.core, self.world.now_ns + ms * NS_PER_MS
        if core._idle_until_ns(now_ns):
            core.gate.check_stream(now_ns)
            for part in (core._settler, core._housekeeping, core._quoting):
                part.tick(now_ns)
            assert core._conclude(now_ns) == []
        self.world.tick(ms)

    # --- what must hold

    @invariant()
    def worst_case_is_inside_the_limit(self) -> None:
        for side in (Side.BUY, Side.SELL):
            lots = sum(order.leaves for order in self.world.ours() if order.side is side)
            lots += sum(new.size for new in self.world.placing() if new.side is side)
            assert self.world.position * side.sign + lots <= LIMIT or not lots

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        assert len(set(self.world.sent_ids)) == len(self.world.sent_ids)

    @invariant()
    def own_orders_never_meet(self) -> None:
        bids = [order.price for order in self.world.out() if order.side is Side.BUY]
        asks = [order.price for order in self.world.out() if order.side is Side.SELL]
        assert not bids or not asks or max(bids) < min(asks)

    @invariant()
    def an_exclusive_symbol_has_one_side(self) -> None:
        if self.exclusive:
            assert len({order.side for order in self.world.out()}) <= 1

    @invariant()
    def what_is_not_compared_again_agrees(self) -> None:
        """Wherever execution would not compare wanted and working again, comparing finds nothing to do."""
        core, now_ns = self.world.core, self.world.now_ns
        symbol, gross_usd = core.desk.symbols[SYMBOL], core.desk.gross_usd()
        if core.gate.reason is None and symbol.agreed and symbol.agreed.holds(symbol, gross_usd, now_ns):
            assert symbol.quotes is not None
            levels = permitted(symbol, gross_usd, now_ns)
            found = reconcile(
                levels, symbol.orders.live.values(), is_exclusive=symbol.quotes.exclusive, now_ns=now_ns
            )
            assert levels and found == ([], [])

    @invariant()
    def while_the_venue_has_to_answer_first_comparing_does_nothing(self) -> None:
        core, now_ns = self.world.core, self.world.now_ns
        symbol = core.desk.symbols[SYMBOL]
        if waits_for_venue(symbol, now_ns):
            for levels in (permitted(symbol, core.desk.gross_usd(), now_ns), symbol.quotes.levels, ()):
                cancels, places = reconcile(
                    levels, symbol.orders.live.values(), is_exclusive=self.exclusive, now_ns=now_ns
                )
                assert not places and all(is_too_early(order, now_ns) for order in cancels)

    def teardown(self) -> None:
        """Let the network become good: our books must come to agree with the venue, by themselves."""
        world = self.world
        world.quote()
        world.target(-LIMIT, LIMIT, style="none")
        for _ in range(900):
            world.run(20)
            if self._agrees():
                return
        symbol = world.core.desk.symbols[SYMBOL]
        raise AssertionError(
            (world.position, symbol.position, world.ours(), symbol.orders.live, world.alerts[-5:])
        )

    def _agrees(self) -> bool:
        symbol = self.world.core.desk.symbols[SYMBOL]
        return (
            symbol.position == self.world.position
            and symbol.is_known
            and not symbol.orders.live
            and not symbol.orders.owed
            and not self.world.ours()
        )


class ExclusiveInterleavings(Interleavings):
    """The same with quotes of one side at a time."""

    exclusive = True


CHECKS = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = CHECKS
TestExclusiveInterleavings = ExclusiveInterleavings.TestCase
TestExclusiveInterleavings.settings = CHECKS
