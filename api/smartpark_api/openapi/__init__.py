"""The description of the API: its shape, what it promises of every answer, and how it may change."""
