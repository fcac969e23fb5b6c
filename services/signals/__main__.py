"""`python -m services.signals --config PATH`"""

from __future__ import annotations

import sys

from services.signals.process import serve
from shared.config import load
from shared.service import arguments, run_service


def main() -> int:
    options = arguments("signals")
    return run_service("signals", lambda: serve(load(options.config)))


if __name__ == "__main__":
    sys.exit(main())
