"""Loaded by each of our workers as it starts: Ctrl-C is for the sweep alone, which then stops them."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
