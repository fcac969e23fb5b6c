"""Volatility of the mid: one estimator a file, all of them fed by the same blocks of time."""
