"""scripts/fuzz as everybody runs it: a short seeded run, and what it does when something goes through."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FUZZING = ROOT / "scripts" / "fuzzing"


def run_fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FUZZING), *arguments], capture_output=True, text=True, check=False, cwd=ROOT, timeout=150
    )


def test_of_twenty_thousand_mutated_payloads_each_is_accepted_or_kept_and_none_goes_through():
    done = run_fuzz("--payloads", "20000", "--seed", "20261123", "--sample", "0", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["payloads"] == 20_000 == sum(report["by_door"].values())
    assert set(report["by_door"]) == {"mqtt", "opcua", "wire", "ack"}
    # All of the reasons that a payload can be kept for: else the payloads are poorer than they were.
    assert set(report["dead_letters"]) == {
        "malformed",
        "unmapped",
        "conflicting_value",
        "unknown_point",
        "unknown_alias",
        "impossible_value",
        "clock_out_of_range",
        "other",
    }
    assert report["accepted"] > 2_000
    assert report["readings_stored"] > 5_000
    assert report["memory_peak_mb"] - report["memory_start_mb"] < 100


def test_a_sample_goes_through_a_real_broker_into_a_real_database():
    done = run_fuzz("--payloads", "3000", "--seed", "7", "--sample", "200", "--json")
    assert done.returncode == 0, done.stderr
    sample = json.loads(done.stdout)["through_the_database"]
    assert sample["messages"] == sample["payloads"] > 100
    assert sum(sample["dead_letters"].values()) > 10
    assert sample["batches"] > 0


def test_a_payload_that_goes_through_is_kept_and_can_be_sent_again(tmp_path):
    """The program is broken on purpose: it stumbles over NaN."""
    script = f"""
import sys
sys.path.insert(0, {str(FUZZING)!r})
import runpy, pathlib
import smartpark_edge.mapping as mapping
whole = mapping.parse_document
def stumble(payload):
    if b"NaN" in payload:
        raise KeyError("never thought of")
    return whole(payload)
mapping.parse_document = stumble
import smartpark_edge.mqtt_source as source
source.parse_document = stumble
main = runpy.run_path({str(FUZZING / "__main__.py")!r})["main"]
main.__globals__["_KEPT"] = pathlib.Path({str(tmp_path)!r})
sys.argv = ["fuzz", *sys.argv[1:]]
raise SystemExit(main())
"""
    broken = [sys.executable, "-c", script, "--payloads", "1000", "--seed", "1", "--sample", "0", "--json"]
    done = subprocess.run(broken, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == 1
    assert "mapping stumbled" in report["what"]
    assert "seed 1" in done.stderr
    kept = Path(report["kept_in"])
    assert len(kept.read_text().splitlines()) == 1
    # With the program whole again, the same payload does no harm.
    assert run_fuzz("--replay", str(kept)).returncode == 0
