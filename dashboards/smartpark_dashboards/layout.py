"""Where panels stand: in reading order, as many in a row as fit."""

from collections.abc import Iterable

GRID_WIDTH = 24


def place(sizes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Upper left corners: as many panels in a row as fit, the next row below the tallest of them.

    >>> place([(24, 1), (12, 8), (12, 6), (6, 4)])
    [(0, 0), (0, 1), (12, 1), (0, 9)]
    """
    corners: list[tuple[int, int]] = []
    x = y = row_height = 0
    for width, height in sizes:
        if x + width > GRID_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        corners.append((x, y))
        x, row_height = x + width, max(row_height, height)
    return corners
