"""What a boundary's electricity costs in a month, and how long it draws which power."""
