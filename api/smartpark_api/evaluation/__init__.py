"""Evaluation of parks: business figures over HTTP, ranking among peers."""
