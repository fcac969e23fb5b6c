"""REST endpoints of the local Backpack venue."""
