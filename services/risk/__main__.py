"""`python -m services.risk --config PATH`"""

from __future__ import annotations

import sys

from services.risk.process import serve
from shared.config import load
from shared.service import arguments, run_service


def main() -> int:
    options = arguments("risk")
    return run_service("risk", lambda: serve(load(options.config)))


if __name__ == "__main__":
    sys.exit(main())
