"""`python -m services.execution --config PATH --account NAME`"""

from __future__ import annotations

import sys

from services.execution.live.process import serve
from shared.config import load
from shared.service import arguments, run_service


def main() -> int:
    options = arguments("execution", "account")
    name = f"execution.{options.account}"
    return run_service(name, lambda: serve(load(options.config), options.account))


if __name__ == "__main__":
    sys.exit(main())
