"""What of risk is recorded."""

from __future__ import annotations

from services.risk.config import Config
from services.risk.core import Risk
from shared.recording.core import CoreKind

RISK = CoreKind("risk", Risk, Risk, (Config,), reads=("watch", "memory"))
