"""Chaos: the park at work while everything around it is killed, cut, filled, spoilt and turned, by a seeded plan."""
