"""What of the signals is recorded."""

from __future__ import annotations

from services.signals.config import Config
from services.signals.core import Signals
from shared.recording.core import CoreKind

SIGNALS = CoreKind("signals", Signals, Signals, (Config,))
