"""The park at work, whole: `smartpark demo` agrees with what really happened, also when ingest is killed."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

ZEROS = ("readings_lost", "readings_duplicated", "readings_altered", "readings_unexpected")


def _demo(smartpark, folder: Path, seconds: int):
    return smartpark.start(
        *("demo", "--for", seconds, "--json", "--backfill-days", "2", "--data", folder, "--port", "0"),
        environment={"SMARTPARK_DSN": ""},
    )


def _report(process) -> dict:
    assert process.process.wait(560) == 0, process.output()
    return json.loads(process.output().splitlines()[-1])


def _assert_it_agrees(report: dict) -> None:
    assert [report[name] for name in ZEROS] == [0, 0, 0, 0]
    assert report["readings_sent"] == report["readings_stored"] > 20_000
    assert report["dead_letters"] == report["dead_letters_expected"] > 0
    assert report["energy_kwh_computed"] == pytest.approx(report["energy_kwh_true"], rel=1e-3)
    assert report["co2_t_computed"] == pytest.approx(report["co2_t_true"], rel=1e-3)
    assert report["intervals_compared"] > 180
    assert report["opcua_points"] == 36
    assert report["mqtt_points"] > 150


def _assert_alerts_were_judged(report: dict) -> None:
    """Which faults fall into the last days depends on the hour; that each is found stands in unit tests."""
    alerts = report["alerts"]
    assert alerts["expected"]["reset"] == 1
    assert alerts["hits"] + len(alerts["missed"]) == sum(alerts["expected"].values())
    assert "reset C01" not in alerts["missed"]
    assert alerts["raised"] < 100


def _children_of(pid: int) -> list[tuple[int, str]]:
    """Process ids and command lines of all descendants."""
    table = psutil.process_iter(["pid", "ppid", "cmdline"])
    rows = [(p.info["pid"], p.info["ppid"], " ".join(p.info["cmdline"] or ())) for p in table]
    found, parents = [], {pid}
    while True:
        new = [(p, a) for p, parent, a in rows if parent in parents and p not in {q for q, _ in found}]
        if not new:
            return found
        found += new
        parents = {p for p, _ in new}


@pytest.mark.soak  # every day with ingest killed in the middle: the test below asks for the same and more
def test_a_short_run_loses_nothing_and_counts_the_energy_right(smartpark, passable_path):
    process = _demo(smartpark, passable_path / "demo", 20)
    report = _report(process)
    _assert_it_agrees(report)
    _assert_alerts_were_judged(report)
    assert not _children_of(process.pid)


def test_killing_ingest_in_the_middle_changes_none_of_the_zeros(smartpark, passable_path):
    folder = passable_path / "demo"
    process = _demo(smartpark, folder, 30)
    process.wait_for_file(folder / "run" / "park.ready", timeout_s=240)
    killed = set()
    for _ in range(2):
        workers = _workers(process, without=killed)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        killed |= set(workers)
    supervisors = [pid for pid, line in _children_of(process.pid) if "ingest run --workers" in line]
    alerts = _named(process, "alerts run")
    for pid in [*supervisors, *alerts]:
        os.kill(pid, signal.SIGKILL)
    assert len(killed) >= 2
    assert supervisors
    report = _report(process)
    _assert_it_agrees(report)
    _assert_alerts_were_judged(report)
    assert report["restarts"] == {"alerts": 1, "ingest": 1}
    assert not _children_of(process.pid)


def _named(process, words: str) -> list[int]:
    """The process of these words, as soon as there is one."""
    found: list[int] = []

    def is_there() -> bool:
        found[:] = [pid for pid, line in _children_of(process.pid) if words in line]
        return bool(found)

    wait_until(is_there, what=f"there is {words}", timeout_s=120)
    return found


def _workers(process, *, without: set[int]) -> list[int]:
    """Ingest's workers, as soon as there are any that have not been killed yet."""
    fresh: list[int] = []

    def are_there() -> bool:
        found = [pid for pid, line in _children_of(process.pid) if "ingest run" in line and "--shard" in line]
        fresh[:] = [pid for pid in found if pid not in without]
        return len(fresh) >= 2

    wait_until(are_there, what="fresh workers of ingest", timeout_s=120)
    return fresh
