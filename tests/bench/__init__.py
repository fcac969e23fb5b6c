"""Benchmarks: `python -m tests.bench [NAMES...] [--quick] [--out run/bench.json]`.

What is measured, and between which two stamps:

    tick_to_order    all processes separate: from the local venue *sending* a public frame to
                     the venue having *received* the first request which that frame caused
                     (a cancel counts: it is the first request of a replacement)
    bare_chain       the same hops without logic: websocket receive, bus, bus, HTTP send
    one_process      the same cores with real sockets and signatures, one process and no bus
    feed_capacity    frames a second through `marketdata`, its consumers attached
    quoters_N        tick-to-order with N quoters, each with live orders of its own symbol
    matching_engine  operations a second of the local venue's engine, without a wire
    memory_<service> resident memory of each process while it quotes

Both ends of every latency are stamped by the venue process with CLOCK_MONOTONIC, so no
clocks are compared. The three chains of one rate run in short blocks that take turns, on
one venue and one market: what disturbs the machine meets all of them alike. The request
budget is lifted at the venue and in execution, which each result's note repeats, and the
market is busier than the one that ships (see `lively_exchange.py`).
"""
