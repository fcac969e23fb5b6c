"""Quotes that are optimal in a model of inventory risk and of how often takers come."""
