"""What a core was told and what it said, call by call, so that both can be compared again.

A core is pure: the same calls, in the same order, must give the same outputs. A recording holds
one core from its construction on; `services/replay/verify.py` makes the calls again.

codec     values of registered types to bytes and back
framing   records in a file, each checked and chained to the one before it
file      the file that grows: buffered, written by a thread, bounded
core      the core that is recorded, to its shell a core like any other
settings  whether recording is on, where recordings are, how large they may become
reader    recordings, read back
"""
