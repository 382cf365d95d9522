"""What the agents themselves say they have lost, and which missing readings that explains.

A loss is excused only when an agent has named it in its log: how many readings, of which span of time. Each sentence
excuses at most as many as it names, of that agent and that span; everything else that is missing is lost. Nothing is
guessed from when a fault began: how late an agent was is its own affair. What an agent says of a file that chaos has
spoilt is believed only as far as the file was seen to hold it just before: the noise may stand in its counters.
"""

import heapq
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from smartpark.clock import MICROSECONDS, to_us

from smartpark_simulators.devices import skewed_clock
from smartpark_simulators.faults import FaultKind

FULL, ALTERED, SET_ASIDE = "spool full", "altered by the disk", "damaged spool set aside"
_LOST = re.compile(
    r"smartpark_edge\.\w+: spool \S+ (?P<why>is full|the disk has altered).*; "
    r"lost (?P<readings>\d+) readings and (?P<letters>\d+) dead letters, (?P<first>\S+) to (?P<last>\S+)$"
)
_ASIDE = re.compile(
    r"smartpark_edge\.spool_file: spool \S+ was damaged; kept as .*?; "
    r"(?:(?P<readings>\d+) readings in it were not yet acknowledged|how many readings in it .* cannot be read)"
)
_STAMP = len("2026-11-23 04:57:14,423")
_TRUNCATED_US = MICROSECONDS
"""Some dialects say whole seconds."""


@dataclass(frozen=True, slots=True)
class NamedLoss:
    """One sentence of an agent: what it has lost, and of when that was, both ends included."""

    edge: str
    readings: int
    letters: int
    first_us: int
    last_us: int
    said_us: int
    """When it said so: what came later is not in it, whatever a wild clock makes of the span."""
    why: str


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What waited in a spool just before chaos overwrote a piece of it."""

    at_us: int
    readings: int
    letters: int
    first_us: int
    last_us: int

    @staticmethod
    def seen(spool: Mapping[str, Any], at_us: int) -> "Spoilt":
        """From what `smartpark edge spool` said; a spool without readings has a span that holds nothing."""
        first, last = spool["pending_from_us"], spool["pending_to_us"]
        span = (sys.maxsize, -sys.maxsize) if first is None else (first, last)
        return Spoilt(at_us, spool["pending_readings"], spool["pending_letters"], *span)


@dataclass(frozen=True, slots=True)
class Difference:
    """A reading that `smartpark verify` found not as it should be."""

    what: str
    point: str
    time_us: int
    count: int


@dataclass(frozen=True, slots=True)
class ExpectedLetter:
    """A message that must become dead letters, unless what it became was named as lost."""

    edge: str
    kind: str
    time_us: int
    letters: int


def named_in(log: Path, edge: str, spoilt: Iterable[Spoilt] = ()) -> list[NamedLoss]:
    """Every loss that an agent's log names; `spoilt` tells how often chaos damaged its spool."""
    losses: list[NamedLoss] = []
    left = sorted(spoilt, key=lambda one: one.at_us)
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        loss = _named_by(line, edge)
        if loss is None:
            continue
        if loss.why != FULL:
            place = max((n for n, one in enumerate(left) if one.at_us <= loss.said_us), default=None)
            if place is None:
                continue  # damage that nobody did excuses nothing
            loss = _within(loss, left[place])
            held = left[place]
            left[place] = replace(held, readings=held.readings - loss.readings, letters=held.letters - loss.letters)
        losses.append(loss)
    return losses


def _named_by(line: str, edge: str) -> NamedLoss | None:
    if said := _LOST.search(line):
        why = FULL if said["why"] == "is full" else ALTERED
        span = _instant(said["first"]), _instant(said["last"])
        return NamedLoss(edge, int(said["readings"]), int(said["letters"]), *span, _said(line), why)
    if said := _ASIDE.search(line):
        readings = sys.maxsize if said["readings"] is None else int(said["readings"])
        return NamedLoss(edge, readings, sys.maxsize, -sys.maxsize, sys.maxsize, _said(line), SET_ASIDE)
    return None


def _within(loss: NamedLoss, held: Spoilt) -> NamedLoss:
    """As much of it as the spoilt file held."""
    first, last = max(loss.first_us, held.first_us), min(loss.last_us, held.last_us)
    if first > last:  # noise in the span itself
        first, last = held.first_us, held.last_us
    readings, letters = min(loss.readings, held.readings), min(loss.letters, held.letters)
    return replace(loss, readings=readings, letters=letters, first_us=first, last_us=last)


def _instant(text: str) -> int:
    return to_us(datetime.fromisoformat(text))


def _said(line: str) -> int:
    """When a line of a log was written: local time, by the true clock."""
    return to_us(datetime.fromisoformat(line[:_STAMP].replace(",", ".")).astimezone())


def read_differences(file: Path) -> list[Difference]:
    """Read what `smartpark verify --list` wrote."""
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return [Difference(what, point, int(time), int(count)) for what, point, time, count in rows]


def explained(lost: Iterable[Difference], named: Sequence[NamedLoss], edge_of: Mapping[str, str]) -> list[int]:
    """How many of the lost readings each named loss accounts for, as many as possible; `edge_of` maps devices.

    Examples
    --------
    >>> lost = [Difference("lost", "park/M1/voltage", time, 1) for time in (1, 5, 6, 9)]
    >>> explained(lost, [NamedLoss("edge-a", 1, 0, 5, 6, 7, FULL)], {"M1": "edge-a"})
    [1]
    >>> explained(lost, [NamedLoss("edge-b", 9, 0, 5, 6, 7, FULL)], {"M1": "edge-a"})
    [0]
    >>> early, all_day = NamedLoss("edge-a", 1, 0, 1, 1, 9, FULL), NamedLoss("edge-a", 3, 0, 1, 9, 9, FULL)
    >>> explained(lost, [all_day, early], {"M1": "edge-a"})
    [3, 1]
    """
    counts = [0] * len(named)
    by_edge: dict[str, list[int]] = {}
    for one in lost:
        by_edge.setdefault(edge_of[one.point.split("/")[1]], []).append(one.time_us)
    for edge, times in by_edge.items():
        for place in _matched(sorted(times), named, edge):
            counts[place] += 1
    return counts


def _matched(times: Iterable[int], named: Sequence[NamedLoss], edge: str) -> Iterator[int]:
    """For each instant the loss that explains it, if any: of those that may, the one whose span ends first."""
    coming = sorted((loss.first_us, n) for n, loss in enumerate(named) if loss.edge == edge)[::-1]
    left = {n: named[n].readings for _, n in coming}
    open_until: list[tuple[int, int]] = []
    for time in times:
        while coming and coming[-1][0] <= time:
            _, n = coming.pop()
            heapq.heappush(open_until, (min(named[n].last_us, named[n].said_us), n))
        while open_until and (open_until[0][0] < time or not left[open_until[0][1]]):
            heapq.heappop(open_until)
        if open_until:
            left[open_until[0][1]] -= 1
            yield open_until[0][1]


def explained_letters(expected: Iterable[ExpectedLetter], named: Sequence[NamedLoss]) -> int:
    """How many dead letters may have been lost with what was named.

    Garbage is a letter in the spool already: it may be among the letters of a loss that was named after it. A message
    with a wild clock is readings there, which only ingest would refuse: their time must lie in the span of the loss.

    Examples
    --------
    >>> garbage = [ExpectedLetter("edge-a", "garbage", time, 1) for time in (5, 8, 30)]
    >>> explained_letters(garbage, [NamedLoss("edge-a", 0, 1, 4, 6, 20, FULL)])
    1
    >>> explained_letters(garbage, [NamedLoss("edge-b", 0, 9, 4, 6, 20, FULL)])
    0
    """
    wild, garbage = list[ExpectedLetter](), list[ExpectedLetter]()
    for one in expected:
        (wild if one.kind == FaultKind.CLOCK_SKEW else garbage).append(one)
    return _explained_garbage(garbage, named) + _explained_wild(wild, named)


def _explained_garbage(garbage: list[ExpectedLetter], named: Sequence[NamedLoss]) -> int:
    left, count = [loss.letters for loss in named], 0
    for one in sorted(garbage, key=lambda one: -one.time_us):
        for n, loss in enumerate(named):
            taken = min(one.letters, left[n]) if (loss.edge, True) == (one.edge, one.time_us <= loss.said_us) else 0
            left[n] -= taken
            count += taken
            if taken:
                break
    return count


def _explained_wild(wild: list[ExpectedLetter], named: Sequence[NamedLoss]) -> int:
    left, count = [loss.readings for loss in named], 0
    for one in wild:
        n = next((n for n, loss in enumerate(named) if left[n] >= one.letters and _holds_wild(loss, one)), None)
        if n is not None:
            left[n] -= one.letters
            count += one.letters
    return count


def _holds_wild(loss: NamedLoss, one: ExpectedLetter) -> bool:
    wild, slack = skewed_clock(one.time_us), _TRUNCATED_US
    is_in_span = loss.first_us - slack <= wild <= loss.last_us + slack
    return loss.edge == one.edge and is_in_span and loss.first_us - slack <= one.time_us <= loss.said_us


def in_short(named: Sequence[NamedLoss], accounted: Sequence[int]) -> list[str]:
    """What the report shows: of each agent and reason how much was named, and how much of it is missing."""
    said, missing, letters, sentences = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for loss, count in zip(named, accounted, strict=True):
        key = f"{loss.edge}, {loss.why}"
        said[key] += loss.readings
        missing[key] += count
        letters[key] += loss.letters
        sentences[key] += 1
    return [
        f"{key}: {said[key]} readings and {letters[key]} dead letters in {sentences[key]} sentences; "
        f"{missing[key]} of them are missing"
        for key in sorted(said)
    ]
