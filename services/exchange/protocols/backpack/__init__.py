"""The Backpack front: REST and websocket, spot and perp."""
