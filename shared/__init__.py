"""What every service shares: messages, bus, process shell, instruments, state, venues."""
