"""Addresses: each takes a request apart, reads, and hands values to functions that decide."""
