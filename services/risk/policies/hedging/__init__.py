"""Hedging and rebalancing: what is held against inventory, and what brings it back."""
