"""`python -m services.exchange`: serve a local venue until told to stop."""

import sys

from services.exchange.assembly import build_server
from services.exchange.options import parse_options
from services.exchange.wire.server import run
from shared.clock import SystemClock
from shared.errors import Fatal

try:
    options = parse_options(sys.argv[1:])
    run(build_server(options, SystemClock()), options.parent_grace_s)
except Fatal as error:
    print(f"exchange: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
