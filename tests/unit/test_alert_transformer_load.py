"""Transformers: limits graded by time, gaps that end a run, and the same words as the published load bands."""

import numpy as np
import pytest
from alert_steps import MINUTE, assert_same, between, cuts, in_steps, many_samples, samples_of, series_of
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.alerts.samples import Level
from smartpark_analytics.alerts.transformer_load import (
    LoadGrades,
    grades_of,
    transformer_carry,
    transformer_load_alerts,
    transformer_lookback_us,
)
from smartpark_analytics.transformer import LoadBand, transformer_load

GRADED = LoadGrades(np.array([0.8, 1.0]), np.array([60 * MINUTE, 15 * MINUTE]), clear_share=0.9)
"""More than 80 % for an hour, more than 100 % for a quarter of one."""
SHORT = {Level.UNKNOWN: "?", Level.CLEAR: ".", Level.HOLD: "~", Level.BREACH: "#"}


def judged(load, grades=GRADED, *, step_us=5 * MINUTE, reactive=0.0, **options):
    active = series_of([1000.0 * rate for rate in load], step_us)
    beside = series_of([reactive] * len(load), step_us)
    options = {"max_gap_us": 10 * MINUTE} | options
    return transformer_load_alerts(
        active, beside, np.array([1000.0]), grades, transformer_carry(1, grades), **options
    )[0]


def signs(verdicts):
    return "".join(SHORT[Level(level)] for level in verdicts.level.tolist())


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ([1.1] * 5, "~~~##"),
        ([0.5, 1.1, 1.1, 0.9, 1.1, 1.1, 1.1, 1.1], ".~~~~~~#"),  # the quarter begins anew, the hour goes on
        ([0.9] * 14, "~" * 12 + "##"),
        ([0.9] * 12 + [0.75, 0.7], "~" * 13 + "."),
        ([0.9] * 6 + [float("nan")] + [0.9] * 7, "~" * 6 + "?" + "~" * 7),
    ],
)
def test_the_higher_the_shorter_it_may_last(load, expected):
    assert signs(judged(load)) == expected


def test_the_grade_that_has_lasted_is_what_it_was_held_against():
    assert judged([0.9] * 13).limit[-1] == 0.8
    assert judged([1.1] * 4).limit[-1] == 1.0
    assert judged([0.9]).limit[-1] == 0.8


def test_a_silence_ends_a_run():
    active = samples_of({0: [(0, 1100.0), (5 * MINUTE, 1100.0), (20 * MINUTE, 1100.0), (25 * MINUTE, 1100.0)]})
    found, _ = transformer_load_alerts(
        active, active, np.array([1000.0]), GRADED, transformer_carry(1, GRADED), max_gap_us=10 * MINUTE
    )
    assert signs(found) == "~~~~"


def test_reactive_power_counts_and_its_lack_is_not_judged():
    assert signs(judged([0.9] * 4, reactive=600.0)) == "~~~#"
    assert judged([0.8], reactive=600.0).value[0] == pytest.approx(1.0)
    assert signs(judged([0.9] * 2, reactive=float("nan"))) == "??"
    assert judged([0.9], reactive=float("nan"), assumed_power_factor=0.9).value[0] == pytest.approx(1.0)


def test_the_dated_bands_say_the_same_as_the_published_load():
    bands = builtin_electricity_rules().load_bands[0]
    load = np.repeat([0.5, 0.8, 0.7, 1.01, 0.9, 0.3], [2, 10, 3, 9, 2, 2])
    found = judged(load, grades_of(bands), step_us=15 * MINUTE, max_gap_us=15 * MINUTE)
    published = transformer_load(load[np.newaxis] * 1000.0, np.array([1000.0]), bands, interval_hours=0.25).band[0]
    # The published band looks back at a run once it has lasted; an alert begins when it has, and never without it.
    assert (published[found.level == Level.BREACH] >= LoadBand.HEAVY).all()
    last_of_run = np.flatnonzero((published >= LoadBand.HEAVY) & ~np.append(published[1:] >= LoadBand.HEAVY, False))
    assert (found.level[last_of_run] == Level.BREACH).all()


@given(
    samples=many_samples(
        rows=2, span_us=200 * MINUTE, step_us=5 * MINUTE, values=st.sampled_from([700.0, 900.0, 1100.0, float("nan")])
    ),
    reactive=many_samples(
        rows=2, span_us=200 * MINUTE, step_us=5 * MINUTE, values=st.sampled_from([0.0, 0.0, 0.0, float("nan")])
    ),
    ends=cuts(200 * MINUTE),
)
@settings(max_examples=60)
def test_in_steps_is_as_at_once(samples, reactive, ends):
    grades = LoadGrades(np.array([0.8, 1.0]), np.array([20 * MINUTE, 10 * MINUTE]))

    def judge(start, end, carry):
        return transformer_load_alerts(
            between(samples, start, end),
            between(reactive, start, end),
            np.array([1000.0, 800.0]),
            grades,
            carry,
            max_gap_us=15 * MINUTE,
        )

    fresh = transformer_carry(2, grades)
    assert_same(in_steps(judge, fresh, ends), in_steps(judge, fresh, ends[-1:]))


def test_a_carry_is_rebuilt_from_the_lookback():
    load = series_of([900.0] * 40, 5 * MINUTE)
    rated, gap = np.array([1000.0]), 10 * MINUTE
    from_us = 150 * MINUTE - transformer_lookback_us(GRADED, gap)
    before, after = between(load, from_us, 150 * MINUTE), between(load, 150 * MINUTE, 200 * MINUTE)
    none = load._replace(value=np.zeros(40))
    _, carry = transformer_load_alerts(before, none, rated, GRADED, transformer_carry(1, GRADED), max_gap_us=gap)
    found, _ = transformer_load_alerts(after, none, rated, GRADED, carry, max_gap_us=gap)
    assert (found.level == Level.BREACH).all()
