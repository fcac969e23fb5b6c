"""`make chaos`: all the kills, several times in mixed order; prints T1 and T2 of each.

T1 = the orders that were open are gone from the venue; T2 = `makerd status --json` was asked, and
answered with what the venue shows.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.chaos.kills import KILLS
from tests.chaos.recovery import check_journal, survive
from tests.fixtures.stage import running_stage


def main() -> int:
    """Run the kills on one stage; the first that breaks a promise ends it with its reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7, help="of the order in which they happen")
    options = parser.parse_args()
    shuffle = random.Random(options.seed).shuffle
    gone: list[float] = []
    right: list[float] = []
    with running_stage() as stage:
        for _ in range(options.rounds):
            kills = list(KILLS)
            shuffle(kills)
            for kill in kills:
                recovery = survive(stage, kill)
                gone.append(recovery.quotes_gone_s or 0.0)
                right.append(recovery.right_again_s or 0.0)
                print(f"T1 {gone[-1]:5.2f} s   T2 {right[-1]:5.2f} s   {kill}", flush=True)
            check_journal(stage)
    print(f"{len(right)} kills: quotes gone within {max(gone):.2f} s, state right within {max(right):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
