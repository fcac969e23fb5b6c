"""Accounting of one session: what was traded, what it made, and from what.

One ledger for a live deployment and a replay alike: pure, streaming, of bounded memory.
Money is exact (decimals whose every rounding raises), so parts add up to the total to the
last digit; shares of time, markouts and plots are for reading and may be floats.
"""
