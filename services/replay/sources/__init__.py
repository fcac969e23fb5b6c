"""Where a replay's market data come from: recordings in several formats, and the synthetic market."""
