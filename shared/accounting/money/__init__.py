"""Exact money of one symbol: cash, first in first out, and profit by what made it."""
