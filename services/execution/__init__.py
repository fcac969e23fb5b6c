"""Execution: wanted orders in, orders at the venue out; owner of an account's orders and money."""
