"""The score of detectors on made-up files of the benchmarks' shapes, and its protocols by hand."""

import csv
import gzip
import json
import sys
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "scores"))

import nab
import skab
from baselines import Forest, SeasonalNaive, Sigma
from methods import Stretch, walk_forward
from score_alerts import measure

MINUTE = 60_000_000
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def text(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def write_nab(folder):
    """A daily rhythm for eight days, with an hour of something else near the end."""
    rng = np.random.default_rng(0)
    moments = [BEGIN + timedelta(minutes=5 * k) for k in range(8 * 288)]
    value = 50 + 10 * np.sin(np.arange(len(moments)) * 2 * np.pi / 288) + rng.normal(0, 1, len(moments))
    value[2000:2040] += 60.0
    (folder / "real").mkdir(parents=True)
    with gzip.open(folder / "real" / "made_up.csv.gz", "wt", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "value"])
        rows.writerows((text(m), round(float(v), 4)) for m, v in zip(moments, value, strict=True))
    window = [text(moments[1990]) + ".000000", text(moments[2080]) + ".000000"]
    labels = {"real/made_up.csv": [window], "real/not_at_hand.csv": [window]}
    (folder / "labels_combined_windows.json").write_text(json.dumps(labels))


def write_skab(folder):
    """Two channels of which one goes elsewhere for a while."""
    rng = np.random.default_rng(1)
    (folder / "valve").mkdir(parents=True)
    values = rng.normal([10.0, 60.0], [1.0, 2.0], (700, 2))
    anomaly = np.zeros(700)
    anomaly[500:600] = 1
    values[500:600, 0] += 8.0
    with (folder / "valve" / "0.csv").open("w", encoding="utf-8") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["datetime", "Pressure", "Flow", "anomaly", "changepoint"])
        for k in range(700):
            rows.writerow([text(BEGIN + timedelta(seconds=k)), *values[k].round(4), anomaly[k], 0.0])


def test_the_score_of_made_up_files_has_every_key_and_finds_the_obvious(tmp_path):
    write_nab(tmp_path / "nab")
    write_skab(tmp_path / "skab")
    said = []
    report = measure(Namespace(data=tmp_path), said.append)
    assert not [line for line in said if "no NAB" in line or "no SKAB" in line]
    assert report["nab"]["found"] == 1
    assert report["nab"]["score"] > 40
    assert report["nab"]["delay_p50_s"] == 10 * 300
    assert report["skab"]["f1"] > 0.8
    for name in ("three_sigma", "seasonal_naive", "isolation_forest"):
        assert 0.0 <= report["baselines"][name]["nab"]["f1"] <= 1.0
        assert 0.0 <= report["baselines"][name]["skab"]["f1"] <= 1.0
    assert report["baselines"]["always"]["skab"]["f1"] == pytest.approx(2 / 4)  # 100 of 300
    json.dumps(report)


def test_without_data_it_says_so_and_scores_nothing(tmp_path):
    said = []
    report = measure(Namespace(data=tmp_path), said.append)
    assert "nab" not in report
    assert "skab" not in report
    assert sum(str(tmp_path) in line for line in said) >= 2


def series_of(windows, n=1000):
    return nab.Series("made", Stretch(np.arange(n) * 5 * MINUTE, np.zeros((n, 1))), np.array(windows) * 5 * MINUTE)


def test_scoring_of_windows_by_hand():
    series = series_of([[300, 400], [600, 700]])
    silent = nab.summary({"made": nab.judge(series, np.array([], np.int64))})
    assert (silent["score"], silent["f1"], silent["missed"]) == (0.0, 0.0, 2)
    perfect = nab.summary({"made": nab.judge(series, np.array([300, 600]) * 5 * MINUTE)})
    assert perfect["score"] == pytest.approx(100, abs=0.1)
    assert perfect["f1"] == 1.0
    # Found at the end of its window: worth next to nothing. A false alarm long after: -0.11. One is missed: -1.
    late = nab.judge(series, np.array([400, 980]) * 5 * MINUTE)
    assert (late.found, late.missed, late.false) == (1, 1, 1)
    assert late.points == pytest.approx(0.0250 - 0.11 * 1.0 - 1.0, abs=0.003)
    # Before any window, nothing is forgiven; just behind one, nearly all is.
    assert nab.judge(series, np.array([200]) * 5 * MINUTE).points == pytest.approx(-2.11)
    assert -2.01 < nab.judge(series, np.array([401]) * 5 * MINUTE).points < -2.0


def test_what_lies_in_probation_is_not_scored():
    series = series_of([[100, 200], [300, 400]])
    found = nab.judge(series, np.array([120, 140]) * 5 * MINUTE)
    assert (found.found, found.missed, found.false) == (0, 1, 0)


def test_scores_close_together_are_one_alarm_at_the_first():
    time = np.arange(200) * 60 * MINUTE
    scores = np.full(200, np.nan)
    scores[[10, 12, 19, 40]] = 2.0
    scores[60] = 0.9
    assert (nab.alarms(time, scores) // (60 * MINUTE)).tolist() == [10, 40]


def test_points_are_counted_as_the_leaderboard_does():
    found = skab.f1(np.array([1, 1, 1, 0, 0, 0]), np.array([1, 1, 0, 1, 0, 0]))
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["false_alarm_rate"] == pytest.approx(1 / 3)
    assert found["missed_alarm_rate"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("method", [Sigma(3.0), SeasonalNaive((288,), 3.0), Forest(share=0.01, trees=20)])
def test_no_method_sees_what_is_to_come(method):
    rng = np.random.default_rng(2)
    time, values = np.arange(900) * 5 * MINUTE, rng.normal(10, 1, (900, 1))
    changed = values.copy()
    changed[700:] = 99.0
    mine, theirs = (walk_forward(method, Stretch(time, v), 400, 100, 900) for v in (values, changed))
    np.testing.assert_array_equal(mine[:700], theirs[:700])
    assert np.isnan(mine[:400]).all()
    assert (theirs[700:705] > 1).all()
