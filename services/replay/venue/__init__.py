"""The simulated venue: a recorded market in which our orders rest, queue, fill and are told of."""
