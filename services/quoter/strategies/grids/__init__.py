"""Grids: levels, the rungs between them, and what rests of them at a position."""
