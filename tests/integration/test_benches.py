"""The benches run, say what they ran on, and own up to what they could not measure; how fast is no test's matter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHES = Path(__file__).parents[2] / "scripts" / "benches"


def bench(*arguments: str) -> dict:
    environment = {name: value for name, value in os.environ.items() if name != "SMARTPARK_SHARED_DATA"}
    done = subprocess.run(
        [sys.executable, str(BENCHES), *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=160,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {"machine", "cores", "memory_gb", "system", "python"} <= report.keys(), "says what it ran on"
    return report


def test_ingest_beside_the_copy_of_the_same_rows():
    report = bench(
        *("ingest", "--database", "plain", "--seconds", "1.5", "--rounds", "1", "--edges", "2", "--points", "40"),
        *("--readings-per-message", "20"),
    )
    assert {"bytes_per_reading", "ack_p50_ms", "ack_p99_ms", "half_load", "broker"} <= report.keys()
    assert "without TimescaleDB" in report["database"]
    assert "timescaledb" in report, "says that TimescaleDB was not measured"
    assert report["readings_per_message"] == 20
    assert report["readings_stored_minus_acknowledged"] == 0
    assert report["ratio"] == pytest.approx(
        report["readings_per_second"] / report["copy_ceiling_per_second"], abs=0.01
    )
    assert {"broker", "ingest", "publishers", "database backends"} <= report["cpu_seconds_by_process"].keys()


@pytest.mark.soak
def test_backfill_says_what_its_readings_are_and_that_there_is_no_columnstore():
    report = bench("backfill", "--database", "plain", "--meters", "2", "--days", "2")
    assert (report["readings"], report["rejected"]) == (2 * 4 * 2 * 1440, 0)
    assert {"readings_per_second", "bytes_per_reading", "peak_memory_mb"} <= report.keys()
    assert "generated" in report["source"]
    assert "not there" in report["columnstore"]


@pytest.mark.soak
def test_edge_counts_what_its_spool_has_accepted():
    report = bench("edge", "--seconds", "1.5", "--meters", "5", "--nodes", "20", "--rates", "100")
    assert report["mqtt_messages_per_second"] > 0
    assert report["opcua_notifications_per_second"] > 0
    assert report["spool_readings_per_mb"] > 0
    assert {"mqtt_cpu_seconds_per_1000_messages", "mqtt_cpu_seconds_per_1000_messages_of_others"} <= report.keys()
    assert report["opcua"][0]["limit"] in {"none yet", "server", "agent"}


@pytest.mark.soak
def test_aggregates_are_pulled_over_http_and_counted():
    report = bench(
        *("aggregates", "--database", "plain", "--parks", "25", "--years", "1", "--rounds", "4", "--pullers", "3"),
    )
    assert report["rows"] == 25 * 4 * (365 + 12)
    assert report["full_rows_per_second"] > 0
    assert report["share_of_copy"] == pytest.approx(
        report["full_rows_per_second"] / report["copy_rows_per_second"], abs=0.01
    )
    assert {"incremental_p99_ms", "unchanged_p99_ms", "concurrent_p99_ms"} <= report.keys()
    assert min(report["rows_per_second_by_form"].values()) > 0


@pytest.mark.soak
def test_alerts_are_told_once_each_and_timed_from_their_commit():
    report = bench(
        *("alerts", "--database", "plain", "--points", "40", "--rules", "5", "--every", "1", "--warm", "2"),
        *("--seconds", "3", "--breaches", "4"),
    )
    assert "without TimescaleDB" in report["database"]
    assert report["breaches"] > 0
    assert (report["told"], report["told_twice"]) == (report["breaches"], 0)
    assert 0 < report["p50_s"] <= report["p99_s"] <= report["max_s"]
    assert report["objects_watched"] == 5 * 40
    assert {"cpu_cores", "cpu_cores_of_its_database_sessions", "memory_mb"} <= report.keys()


def test_dashboards_are_asked_for_every_range_and_own_up_to_what_they_read():
    report = bench(
        *("queries", "--database", "plain", "--points", "20", "--days", "2", "--rounds", "1"),
        *("--dashboard", "park-power"),
    )
    assert "without TimescaleDB" in report["database"]
    assert report["errors"] == []
    assert 0 < report["p50_ms"] <= report["p95_ms"] <= report["max_ms"]
    assert report["answers"] == report["cases"] == report["queries"] * 2 * 5
    assert report["by_range"].keys() == {"default", "1h", "24h", "30d", "1y"}
    assert report["by_dashboard"].keys() == {"park-power"}
    assert {"dashboard", "panel", "query", "range", "ms", "rows"} <= report["slowest"][0].keys()
    # Plain PostgreSQL has nothing aggregated beforehand: whoever asks for a month there reads readings.
    scanned = {scan["range"] for scan in report["raw_scans"]}
    assert {"30d", "1y"} <= scanned
    assert not {"1h", "24h"} & scanned
