"""Market data: venue bytes in, Top, Depth, Trade, Mark and FeedState out. One process per venue."""
