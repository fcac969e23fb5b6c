"""Sockets: HTTP/1.1 and websocket readers without I/O, and the connections that feed them."""
