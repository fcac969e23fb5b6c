"""Signals: order flow, volatility and intensity of the symbols that somebody listens to."""
