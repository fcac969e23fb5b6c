"""One account: its equity, as far as it can be trusted, and how its limits are shared by its symbols."""
