"""How wide a column of a table must be for what can stand in it. Estimated by kind of script: nothing is measured."""

from collections.abc import Sequence
from typing import Final

MOST: Final = 132
"""Of a column of a closed list whose words are long: the rest of a word is shown on demand. [px]"""
LEAST: Final = 90
"""Of a column of free text, which shares what the others leave. [px]"""
_CHINESE, _LATIN, _MARGIN = 14.0, 8.0, 18.0
"""Width of a character in a cell, and what stands around it. [px]"""
_LONGEST: Final = {
    "bytes": "123.4 MiB", "dateTimeAsIso": "2026-11-23 16:30", "dtdhms": "12 d 03:04:05", "kvoltamp": "123.4 MVA",
    "kwatt": "123.4 MW", "kwatth": "123.4 MWh", "locale": "123,456", "percent": "100.0%", "s": "12 d 03:04:05",
    "short": "12.3 K",
}  # fmt: skip


def column_width(head: str, *, unit: str | None, decimals: int | None, words: Sequence[str] = ()) -> int:
    """Width for numbers of a unit or words of a closed list; 0 for free text. [px].

    >>> column_width("完整率", unit="percent", decimals=1)
    66
    >>> column_width("name", unit=None, decimals=None)
    0
    >>> column_width("state", unit=None, decimals=None, words=["online", "offline"])
    74
    """
    if unit is None and not words:
        return 0
    content = max((ink(text) for text in words), default=0) if unit is None else ink(_longest(unit, decimals))
    return round(max(ink(head) + _MARGIN, min(content + _MARGIN, MOST)))


def table_width(columns: int) -> int:
    """What a table has on a page of 1440 px when it is so many of the grid's columns wide. [px].

    >>> table_width(24), table_width(12)
    (1392, 684)
    """
    return round(columns * (1440 - 32 + 8) / 24 - 8 - 16)


def title_width(columns: int) -> int:
    """What the title of a panel has beside the sign behind which its explanation stands. [px]."""
    return table_width(columns) - 44


def ink(text: str) -> float:
    """Width of a text in a cell. [px]."""
    return sum(_CHINESE if ord(character) > 0x2E7F else _LATIN for character in text)


def _longest(unit: str, decimals: int | None) -> str:
    digits = "" if not decimals else "." + "0" * decimals
    if unit.startswith("time:"):
        return unit.removeprefix("time:")
    if unit.startswith("suffix:"):
        return f"1234{digits} {unit.removeprefix('suffix:')}"
    if unit == "none":
        return f"12345{digits}"
    if unit == "percent" and decimals:
        return f"100{digits}%"
    return _LONGEST.get(unit, "1234.56") + (digits if unit == "locale" else "")
