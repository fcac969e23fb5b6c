"""What the venue is asked, what its answers mean, and what waits for them."""
