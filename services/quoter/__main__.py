"""`python -m services.quoter --config PATH --symbol SYMBOL`"""

from __future__ import annotations

import sys

from services.quoter.process import serve
from shared.config import load
from shared.service import arguments, run_service


def main() -> int:
    options = arguments("quoter", "symbol")
    return run_service(f"quoter.{options.symbol}", lambda: serve(load(options.config), options.symbol))


if __name__ == "__main__":
    sys.exit(main())
