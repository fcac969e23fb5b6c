"""What the console hears: the board, and one look at everything."""
