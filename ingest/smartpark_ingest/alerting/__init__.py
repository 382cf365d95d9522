"""Watching what comes in: rules evaluated as readings arrive, alerts kept, people told of them."""
