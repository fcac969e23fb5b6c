"""Protection: what limits a position, a loss, a rate, and what a wrong price may do."""
