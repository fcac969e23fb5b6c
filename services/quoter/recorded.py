"""What of a quoter is recorded: the core made of its table, as a person wrote it."""

from __future__ import annotations

from services.quoter.config import Settings, parse_quoter
from services.quoter.core import Quoter
from shared.config import Quoter as QuoterTable
from shared.recording.core import CoreKind


def build(symbol: str, venue: str, table: QuoterTable) -> Quoter:
    """Raises: BadInput."""
    return Quoter(Settings(symbol, venue, table.account, *parse_quoter(symbol, table)))


QUOTER = CoreKind("quoter", Quoter, build, (QuoterTable,))
