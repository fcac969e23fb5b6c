"""Websocket streams of the local Backpack venue."""
