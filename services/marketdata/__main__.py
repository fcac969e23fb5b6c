"""`python -m services.marketdata --config PATH --venue NAME`"""

from __future__ import annotations

import sys

from services.marketdata.process import serve
from shared.config import load
from shared.service import arguments, run_service


def main() -> int:
    options = arguments("marketdata", "venue")
    return run_service(f"marketdata.{options.venue}", lambda: serve(load(options.config), options.venue))


if __name__ == "__main__":
    sys.exit(main())
