"""Rows of interval energy: which multiplier, which modulus, which quarter-hours."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from accounting_cases import GRID
from smartpark.clock import to_us
from smartpark.periods import Grain, period_containing
from smartpark.wire import MISSING
from smartpark_ingest.derive_intervals import interval_rows
from smartpark_ingest.derive_spans import QUARTER_US
from smartpark_storage import POINT_VERSION_DTYPE, READING_DTYPE

START = to_us(period_containing(datetime(2026, 11, 10, 4, tzinfo=UTC), Grain.DAY).start)
NO_VERSIONS = np.empty(0, POINT_VERSION_DTYPE)


def readings(point_id: int, values: list[float], *, as_double: bool) -> np.ndarray:
    rows = np.zeros(len(values), READING_DTYPE)
    rows["point_id"], rows["time"] = point_id, START + QUARTER_US * np.arange(len(values))
    rows["scaled"], rows["raw"] = (MISSING, values) if as_double else (values, np.nan)
    return rows


def test_registers_of_both_kinds_are_computed_side_by_side():
    double = replace(GRID, point_id=9, exponent=None, multiplier=2.0)
    both = np.concatenate(
        [readings(9, [0.5, 1.75, 4.0], as_double=True), readings(1, [0, 150, 350], as_double=False)]
    )
    rows = interval_rows([double, GRID], both, NO_VERSIONS, START, START + 3 * QUARTER_US)
    assert rows["point_id"].tolist() == [1, 1, 9, 9]
    assert rows["amount"].tolist() == [1.5, 2.0, 2.5, 4.5]
    assert rows["start"].tolist() == [START, START + QUARTER_US] * 2


def test_a_reading_finer_than_its_register_counts_as_the_nearest_step():
    mixed = readings(1, [0, 0, 300, 450], as_double=False)
    mixed["scaled"][1], mixed["raw"][1] = MISSING, 1.504  # kWh; the register's step is 0.01
    rows = interval_rows([GRID], mixed, NO_VERSIONS, START, START + 3 * QUARTER_US)
    assert rows["amount"] == pytest.approx([1.5, 1.5, 1.5])


def test_each_reading_is_multiplied_by_what_was_in_force_then():
    versions = np.array([(1, 0, 10.0, 0), (1, START + 2 * QUARTER_US, 40.0, 0)], POINT_VERSION_DTYPE)
    given = readings(1, [0, 100, 200, 300], as_double=False)
    rows = interval_rows([replace(GRID, multiplier=40.0)], given, versions, START, START + 3 * QUARTER_US)
    assert rows["amount"].tolist() == [10.0, 10.0, 40.0]


def test_the_modulus_is_that_of_the_span():
    versions = np.array([(1, 0, 1.0, 1000), (1, START + 90 * QUARTER_US, 1.0, 0)], POINT_VERSION_DTYPE)
    given = readings(1, [960, 980, 0, 20], as_double=False)
    rows = interval_rows([GRID], given, versions, START, START + 3 * QUARTER_US)
    assert rows["amount"] == pytest.approx([0.2, 0.2, 0.2])


def test_before_the_first_reading_and_after_the_last_there_are_no_rows():
    given = readings(1, [0, 100, 200], as_double=False)
    rows = interval_rows([GRID], given, NO_VERSIONS, START - 3 * QUARTER_US, START + 9 * QUARTER_US)
    assert rows["start"].tolist() == [START, START + QUARTER_US]
