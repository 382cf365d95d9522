"""Pulling the aggregates of other instances into this one: exactly once each, over bad links, for years."""
