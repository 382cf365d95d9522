"""Detectors of the platform and three plain baselines on labelled series: F1, precision, recall, delay.

Default rules on faults that are injected into real series (`injected`), detectors on public benchmarks.

Reads NAB and SKAB below the folder `anomaly` in the one that SMARTPARK_SHARED_DATA names; neither is part of the
project (MIT, GPL-3). What is not at hand is left out of the report, and said. Every method goes through the same
protocol with limits that were fixed on other data: docs/methods/alerts.md.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import injected
import nab
import skab
from chosen import BASELINES_INJECTED, BASELINES_NAB, BASELINES_SKAB, OURS_NAB, OURS_SKAB
from methods import Method
from tqdm import tqdm

SKAB_LOOKS = "0.693 when first scored; then a defect was found and mended: docs/methods/alerts.md"
"""What a reader of our figure has to know."""

Say = Callable[[str], None]
Report = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the series are."""
    shared = os.environ.get("SMARTPARK_SHARED_DATA")
    folder = Path(shared) / "anomaly" if shared else None
    parser.add_argument(
        "--data", type=Path, default=folder, help="folder with nab/ and skab/ (default: of the environment)"
    )


def measure(arguments: argparse.Namespace, say: Say) -> Report:
    """Score everything that is at hand."""
    report: Report = {"baselines": {}}
    shared = arguments.data.parent if arguments.data is not None else None
    report["injected"] = injected.run(shared, BASELINES_INJECTED, say)
    for name, found in report["injected"].pop("baselines").items():
        report["baselines"].setdefault(name, {})["injected"] = found
    folder: Path | None = arguments.data
    if folder is None or not (folder / "nab" / "labels_combined_windows.json").exists():
        say(f"no NAB series: {folder or 'SMARTPARK_SHARED_DATA is not set'}")
    else:
        series = nab.load(folder / "nab")
        _score(report, "nab", {"": OURS_NAB, **BASELINES_NAB}, lambda method: nab.run(series, method))
    if folder is None or not (folder / "skab").is_dir():
        say(f"no SKAB files: {folder or 'SMARTPARK_SHARED_DATA is not set'}")
    else:
        files = skab.load(folder / "skab")
        _score(report, "skab", {"": OURS_SKAB, **BASELINES_SKAB}, lambda method: skab.run(files, method))
        report["skab"]["note"] = SKAB_LOOKS
    return report


def _score(report: Report, part: str, methods: dict[str, Method], run: Callable[[Method], Report]) -> None:
    """Score the methods on one part; ours, without a name, stands by itself, the others below `baselines`."""
    for name, method in tqdm(methods.items(), desc=part):
        (report["baselines"].setdefault(name, {}) if name else report)[part] = run(method)
