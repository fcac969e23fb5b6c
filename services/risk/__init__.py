"""Risk: what may rest (Permit) and where a position should be (Target); off the hot path."""
