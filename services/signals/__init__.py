"""Signals: order flow and volatility of the symbols that somebody listens to."""
