"""Numenta Anomaly Benchmark: series with windows in which an anomaly should be found, and its scoring function.

The data are not part of the project. An alarm is what a person would be told of: scores beyond the limit that lie no
more than `QUIET` apart are one alarm, at the moment of the first. A window is found when an alarm begins in it; an
alarm that begins outside of all windows is a false one, even if it goes on into a window. The scoring function is
NAB's, standard profile, written anew from the published description; the threshold is *not* optimised on the scored
series, as NAB's own runner does.

References: Lavin & Ahmad, Evaluating real-time anomaly detection algorithms, ICMLA 2015, arXiv:1510.03336.
"""

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from methods import LIMIT, Floats, Ints, Method, Stretch, walk_forward

MINUTE_US = 60_000_000
QUIET_US = 8 * 60 * MINUTE_US
"""Silence that ends an alarm: one working shift. [µs]"""
PROBATION_SHARE, PROBATION_LENGTH = 0.15, 5000
"""NAB's probation: 15 % of a series, of its first 5000 samples at most; it is not scored."""
REFIT = 288
"""Samples between two times of learning anew: a day of five minutes."""
MEMORY = 28 * 288
"""Samples that are learnt from at most: four weeks of five minutes."""
WEIGHT_FALSE, WEIGHT_MISSED = 0.11, 1.0
"""Standard profile: what a false alarm and a missed window cost, where a found window is worth 1."""


class Series(NamedTuple):
    """One series of the benchmark."""

    name: str
    stretch: Stretch
    windows: Ints
    """Begin and end of each window, both within. [µs since the epoch], shape (n_windows, 2)."""

    @property
    def probation(self) -> int:
        """Samples that are learnt from only."""
        return int(PROBATION_SHARE * min(len(self.stretch.time_us), PROBATION_LENGTH))


def load(folder: Path) -> list[Series]:
    """Series below `folder` that `labels_combined_windows.json` speaks of; those without a file are left out."""
    labels: dict[str, list[list[str]]] = json.loads((folder / "labels_combined_windows.json").read_text("utf-8"))
    found: list[Series] = []
    for name, windows in labels.items():
        files = [file for suffix in ("", ".gz") if (file := folder / (name + suffix)).exists()]
        if files:
            spans = np.array([[_moment(text) for text in window] for window in windows], np.int64).reshape(-1, 2)
            found.append(Series(Path(name).stem, _read(files[0]), spans))
    return found


def _read(file: Path) -> Stretch:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        rows = [(_moment(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
    rows = sorted(dict(rows).items())  # a moment that is told twice counts once, as it was told last
    return Stretch(np.array([time for time, _ in rows]), np.array([[value] for _, value in rows]))


def _moment(text: str) -> int:
    # The benchmark's clock is said to be UTC nowhere; only differences matter.
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def alarms(time_us: Ints, scores: Floats) -> Ints:
    """Moments at which alarms begin. [µs]."""
    beyond = time_us[scores > LIMIT]
    return beyond[np.diff(beyond, prepend=np.iinfo(np.int64).min // 2) > QUIET_US]


class Outcome(NamedTuple):
    """What a method did on one series."""

    found: int
    missed: int
    false: int
    delay_s: list[float]
    """From the begin of each window that was found to its alarm. [s]"""
    points: float
    """NAB's sum for the series."""


def judge(series: Series, begun_us: Ints) -> Outcome:
    """Hold alarms against the windows."""
    start_us = series.stretch.time_us[series.probation]
    windows = series.windows[series.windows[:, 0] >= start_us]  # NAB drops what overlaps with probation
    scored = begun_us[begun_us >= start_us]
    within = (scored[:, np.newaxis] >= windows[:, 0]) & (scored[:, np.newaxis] <= windows[:, 1])
    found = within.any(axis=0)
    first = [scored[within[:, k]][0] for k in np.flatnonzero(found)]
    delays = [(moment - windows[k, 0]) / 1e6 for k, moment in zip(np.flatnonzero(found), first, strict=True)]
    false = scored[~within.any(axis=1)]
    points = _points(series.stretch.time_us, windows, first=np.array(first, np.int64), found=found, false=false)
    return Outcome(int(found.sum()), int((~found).sum()), len(false), delays, points)


def _points(time_us: Ints, windows: Ints, *, first: Ints, found: np.ndarray, false: Ints) -> float:
    """Sum of the scoring function: early is better, a false alarm just behind a window is half forgiven."""
    left, right = np.searchsorted(time_us, windows[:, 0]), np.searchsorted(time_us, windows[:, 1], side="right") - 1
    width = np.maximum(right - left, 1)
    place = np.searchsorted(time_us, first)
    early = _sigmoid((place - right[found]) / width[found] - 1 / width[found]) / _sigmoid(np.float64(-1.0))
    before = np.searchsorted(windows[:, 1], false) - 1  # newest window that is over
    some = before >= 0
    behind = (np.searchsorted(time_us, false[some]) - right[before[some]]) / width[before[some]]
    late = np.where(behind > 3.0, -1.0, _sigmoid(behind))
    missed = float((~found).sum())
    return float(early.sum() + WEIGHT_FALSE * (late.sum() - (~some).sum()) - WEIGHT_MISSED * missed)


def _sigmoid(position: Floats) -> Floats:
    """Worth of a detection by its place relative to the end of a window; 0 at the end, towards -1 behind it."""
    return 2.0 / (1.0 + np.exp(5.0 * position)) - 1.0


def summary(outcomes: dict[str, Outcome]) -> dict[str, object]:
    """`score` between that of a silent method (0) and a perfect one (100), `f1`, and each series."""
    found, missed, false = (sum(getattr(o, name) for o in outcomes.values()) for name in ("found", "missed", "false"))
    points, windows = sum(o.points for o in outcomes.values()), found + missed
    delays = [delay for o in outcomes.values() for delay in o.delay_s]
    return {
        "score": 100.0 * (points + WEIGHT_MISSED * windows) / ((1.0 + WEIGHT_MISSED) * windows) if windows else None,
        "f1": 2 * found / (2 * found + missed + false) if found + missed + false else None,
        "precision": found / (found + false) if found + false else None,
        "recall": found / windows if windows else None,
        "found": found,
        "missed": missed,
        "false": false,
        "delay_p50_s": float(np.median(delays)) if delays else None,
        "series": {name: {"found": o.found, "missed": o.missed, "false": o.false} for name, o in outcomes.items()},
    }


def run(series: list[Series], method: Method) -> dict[str, object]:
    """Score one method on all series."""
    outcomes = {}
    for one in series:
        scores = walk_forward(method, one.stretch, one.probation, REFIT, MEMORY)
        outcomes[one.name] = judge(one, alarms(one.stretch.time_us, scores))
    return summary(outcomes)
