"""Policies: one idea a file, a view in, a decision out."""
