"""The control port: the fault menu, the trace, and hands on the market, for tests."""
