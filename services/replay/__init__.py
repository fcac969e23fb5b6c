"""Replay: every core in one process on a simulated clock."""
