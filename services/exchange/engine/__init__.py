"""The matching engine: books, rules, order life, and the venue that holds them together."""
