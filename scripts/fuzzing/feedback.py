"""Which payloads are worth bending again: those that reached new code, or made the program say something new.

Coverage costs: `sys.settrace` makes our own lines some ten times slower. So one payload in `EVERY` is run once more
through the pure part of its door with tracing on, and what it reaches (pairs of lines that follow each other in a
room's code) decides. What the program says about a payload is looked at for each of them: a new sentence is new code
in all but name. Atheris was weighed and left: its wheels are for Linux only, its loop owns the process, and it would
guide by the bytes of JSON rather than by what they mean.
"""

import random
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

EVERY: Final = 25
_ROOMS: Final = ("smartpark_edge", "smartpark_ingest", "/smartpark/")
_KEPT: Final = 400
"""Payloads remembered per door and topic."""


class Coverage:
    """Steps from line to line, in the rooms' own code."""

    def __init__(self) -> None:
        self.steps: set[tuple[int, int, int]] = set()
        self._ours: dict[Any, bool] = {}

    def run(self, work: Callable[[], object]) -> int:
        """Do something under watch; how many steps were new."""
        before = len(self.steps)
        outer = sys.gettrace()
        sys.settrace(self._enter)
        try:
            work()
        finally:
            sys.settrace(outer)
        return len(self.steps) - before

    def _enter(self, frame: FrameType, _event: str, _argument: object) -> Any:
        code = frame.f_code
        ours = self._ours.get(code)
        if ours is None:
            ours = self._ours[code] = any(room in code.co_filename for room in _ROOMS)
        return self._follower(hash(code)) if ours else None

    def _follower(self, code: int) -> Callable[[FrameType, str, object], Any]:
        last = 0

        def follow(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal last
            if event == "line":
                self.steps.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return follow

        return follow


class Corpus:
    """Payloads by key (a door and topic), the first ones for good."""

    def __init__(self) -> None:
        self._first: dict[str, list[bytes]] = {}
        self._found: dict[str, list[bytes]] = {}
        self.kept = 0

    def add_first(self, key: str, payloads: list[bytes]) -> None:
        """Sound payloads, as they are said."""
        self._first[key], self._found[key] = payloads, []

    @property
    def keys(self) -> list[str]:
        """What can be asked for."""
        return list(self._first)

    def remember(self, chance: random.Random, key: str, payload: bytes) -> None:
        """Worth bending again."""
        if len(payload) > 20_000:
            return
        found = self._found[key]
        self.kept += 1
        if len(found) < _KEPT:
            found.append(payload)
        else:
            found[chance.randrange(_KEPT)] = payload

    def draw(self, chance: random.Random, key: str) -> bytes:
        """One of either."""
        found = self._found[key]
        return chance.choice(found if found and chance.random() < 0.4 else self._first[key])

    def sound(self, key: str) -> list[bytes]:
        """The first ones."""
        return self._first[key]
