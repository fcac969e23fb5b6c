"""Redis state: typed access, the fill journal, the writer, the embedded server."""

from shared.state.store import StateStore

__all__ = ["StateStore"]
