"""Skoltech Anomaly Benchmark: eight channels of a water loop, each second labelled as normal or not.

The data are not part of the project. The protocol is that of the benchmark's outlier leaderboard: every file is
learnt from by its first 400 samples and scored on the rest; the answers of all files are counted together as F1 over
points. Scores are smoothed by their median over the newest `HOLD` samples, for all methods alike: a state lasts, a
glitch does not. A method that always cries has an F1 too, and it is not small; it stands beside the others.

References: Katser & Kozitsin, Skoltech Anomaly Benchmark (SKAB), 2020, doi:10.34740/KAGGLE/DSV/1693952.
"""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from methods import LIMIT, Floats, Ints, Method, Stretch

TRAIN = 400
"""Samples at the beginning of each file that are learnt from. [samples]"""
HOLD = 15
"""Samples that a smoothed score looks back on. [samples]"""
LABELS = ("anomaly", "changepoint")


class File(NamedTuple):
    """One experiment."""

    name: str
    stretch: Stretch
    anomaly: Ints
    """1 where the sample is anomalous, shape (n,)."""


def load(folder: Path) -> list[File]:
    """All labelled files below `folder`."""
    found = [_read(folder, file) for file in sorted(folder.glob("*/*.csv*")) if file.parent.name != "anomaly-free"]
    return sorted(found, key=lambda file: file.name)


def _read(folder: Path, path: Path) -> File:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    channels = [name for name in rows[0] if name != "datetime" and name not in LABELS]
    time = [int(datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC).timestamp()) * 1_000_000 for row in rows]
    values = np.array([[float(row[name]) for name in channels] for row in rows])
    anomaly = np.array([int(float(row["anomaly"])) for row in rows])
    name = str(path.relative_to(folder)).removesuffix(".gz").removesuffix(".csv")
    return File(name, Stretch(np.array(time), values), anomaly)


def smoothed(scores: Floats, hold: int = HOLD) -> Floats:
    """Median over the newest samples; fewer at the beginning."""
    padded = np.concatenate([np.full(hold - 1, np.nan), scores])
    windows = np.lib.stride_tricks.sliding_window_view(padded, hold)
    known = np.isfinite(windows).any(axis=1)
    found = np.full(len(scores), np.nan)
    found[known] = np.nanmedian(windows[known], axis=1)
    return found


def f1(truth: Ints, said: Ints) -> dict[str, float | None]:
    """F1 over points, with the shares of false and missed alarms as the leaderboard has them."""
    hit = int((truth & said).sum())
    false, missed = int(said.sum()) - hit, int(truth.sum()) - hit
    calm = len(truth) - int(truth.sum())
    return {
        "f1": 2 * hit / (2 * hit + false + missed) if hit + false + missed else None,
        "false_alarm_rate": false / calm if calm else None,
        "missed_alarm_rate": missed / (hit + missed) if hit + missed else None,
    }


def run(files: list[File], method: Method) -> dict[str, object]:
    """Score one method on all files."""
    truth, said = [], []
    for file in files:
        judge = method.fit(file.stretch.part(0, TRAIN))
        scores = judge(file.stretch.part(TRAIN, len(file.anomaly)))
        said.append((smoothed(scores) > LIMIT).astype(np.int64))
        truth.append(file.anomaly[TRAIN:])
    per_file = {file.name: f1(t, s)["f1"] for file, t, s in zip(files, truth, said, strict=True)}
    return {**f1(np.concatenate(truth), np.concatenate(said)), "files": per_file}
