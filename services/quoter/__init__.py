"""Quoter: what should rest in the book of one symbol."""
