"""The live shell: sockets, worker threads, Redis, the end of the process."""
