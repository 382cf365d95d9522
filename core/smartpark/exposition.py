"""Numbers for Prometheus: families of samples, histograms, and the text that it reads. It opens no port.

Our own few lines instead of a client library, because what a process counts stands in plain fields already
(docs/adr/0012-own-metrics-exposition.md): a service hands out *families* when it is asked, and nothing is counted
twice. The text is version 0.0.4 of the exposition format.
"""

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds for how long something takes. [s]"""
AGES: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0)
"""Bounds for how old something is. [s]"""
COUNTS: Final = (1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 50_000.0, 100_000.0)
"""Bounds for how many readings come together."""


class Kind(StrEnum):
    """What Prometheus may do with a number."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: what follows the family's name, labels, value."""

    value: float
    labels: Labels = field(default_factory=dict[str, str])
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name with its unit, and one sample for each set of labels."""

    name: str
    kind: Kind
    meaning: str
    samples: tuple[Sample, ...]


def gauge(name: str, meaning: str, value: float | None, labels: Labels | None = None) -> Family:
    """Something that goes up and down; None: not known, so no sample."""
    return Family(name, Kind.GAUGE, meaning, () if value is None else (Sample(value, labels or {}),))


def counter(name: str, meaning: str, value: float, labels: Labels | None = None) -> Family:
    """Something that only grows, until the process starts anew."""
    return Family(name, Kind.COUNTER, meaning, (Sample(value, labels or {}),))


def by_label(
    kind: Kind, name: str, meaning: str, values: Mapping[str, float], *, label: str, labels: Labels | None = None
) -> Family:
    """One sample for each value of a label."""
    return Family(name, kind, meaning, tuple(Sample(v, {**(labels or {}), label: key}) for key, v in values.items()))


class Histogram:
    """Counts of values by upper bound; one thread or several may observe."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value, or `times` equal ones."""
        with self._lock:
            self._counts[bisect_left(self._bounds, value)] += times
            self._sum += value * times

    @property
    def count(self) -> int:
        """How many values were observed."""
        return sum(self._counts)

    def family(self, name: str, meaning: str, labels: Labels | None = None) -> Family:
        """What Prometheus gets to see."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        known, samples, seen = labels or {}, list[Sample](), 0
        for bound, count in zip((*self._bounds, math.inf), counts, strict=True):
            seen += count
            samples.append(Sample(seen, {**known, "le": _number(bound)}, "_bucket"))
        samples += [Sample(total, known, "_sum"), Sample(seen, known, "_count")]
        return Family(name, Kind.HISTOGRAM, meaning, tuple(samples))


def merged(families: Iterable[Family]) -> list[Family]:
    """Families of the same name become one, as the format wants it."""
    found: dict[str, Family] = {}
    for one in families:
        before = found.get(one.name)
        samples = one.samples if before is None else (*before.samples, *one.samples)
        found[one.name] = Family(one.name, one.kind, one.meaning, samples)
    return list(found.values())


def render(families: Iterable[Family]) -> str:
    r"""Text that Prometheus reads.

    >>> print(render([gauge("spool_bytes", "In the spool.", 12, {"edge": "a"})]), end="")
    # HELP spool_bytes In the spool.
    # TYPE spool_bytes gauge
    spool_bytes{edge="a"} 12
    """
    return "".join(f"{line}\n" for one in merged(families) for line in _lines(one))


def _lines(family: Family) -> Iterator[str]:
    meaning = family.meaning.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {meaning}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
        yield f"{family.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
