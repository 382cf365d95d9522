"""Chaos: every fault there is within three quarters of a minute, or ten minutes of it; no reading goes astray.

All of it is for `scripts/test --soak`; by hand: `scripts/chaos --minutes N`. A failure prints the seed that replays
it.
"""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.acceptance

CHAOS = (sys.executable, "-m", "smartpark_simulators.chaos", "--json")
ZEROS = (
    "lost",
    "duplicated",
    "altered",
    "unexpected",
    "intervals_differing",
    "indicators_differing",
    "health_untrue",
)


def _chaos(folder, *, minutes: float, seed: int) -> dict:
    command = [*CHAOS, "--minutes", str(minutes), "--seed", str(seed), "--data", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "SMARTPARK_DSN"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run:
        try:
            out, err = run.communicate()
        finally:
            run.terminate()  # of a test that was stopped: it ends what it has started
    assert run.returncode == 0, f"{err[-6000:]}\n{out[-3000:]}"
    return json.loads(out)


def _assert_it_held(report: dict, *, sent: int) -> None:
    assert [report[name] for name in ZEROS] == [0] * len(ZEROS)
    assert report["readings_computed_anew"] > 1_000
    assert report["energy_off"] <= 1e-3
    assert report["co2_off"] <= 1e-3
    assert report["readings_sent"] > sent
    assert report["dead_letters_least"] <= report["dead_letters"] <= report["dead_letters_most"]
    assert report["recovery_p99_s"] < 120
    assert report["complaints"] == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_short_chaos_loses_and_doubles_nothing(passable_path):
    report = _chaos(passable_path / "chaos", minutes=0.8, seed=1)
    _assert_it_held(report, sent=5_000)
    assert len(report["faults"]) == 17
    # The spool that was made too small has named what it could not keep.
    assert report["lost_and_named"] > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_long_chaos_loses_and_doubles_nothing(passable_path, seed: int):
    report = _chaos(passable_path / "chaos", minutes=10, seed=seed)
    sys.stdout.write(f"{json.dumps(report)}\n")  # shown by `scripts/test --soak -k chaos -s`
    _assert_it_held(report, sent=60_000)
    assert len(report["faults"]) == 17
