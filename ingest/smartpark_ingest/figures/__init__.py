"""Business figures as files: read and checked row by row, imported as a whole."""
