"""Explaining a published number: what is read for it, and how it is told on the terminal and by the API."""
