"""HTTP and websockets of any venue: sockets, streams, keys, limits; protocols give them words."""
