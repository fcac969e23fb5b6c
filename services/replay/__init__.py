"""Replay: the very same cores as live, in one process, on a simulated clock, over recorded market data."""
