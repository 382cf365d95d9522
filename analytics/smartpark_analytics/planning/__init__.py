"""Loads of a park and of its network from quarter-hours of its meters: what is free, what the days ahead bring."""
