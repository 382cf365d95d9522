"""The load forecast on public series that are too large or not free enough to lie here.

`SMARTPARK_SHARED_DATA` names a folder with them (electricity/ucsd, gas_heat/…); the numbers are in
docs/methods/load-forecast.md. The same script scores anybody's series.
"""

import importlib.util
import json
import os
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = os.environ.get("SMARTPARK_SHARED_DATA")
NEEDS_DATA = pytest.mark.skipif(not DATA, reason="SMARTPARK_SHARED_DATA names no folder of public series")
US = ["--format", "%m/%d/%Y %H:%M", "--time", "DateTime"]


def load_script():
    loader = SourceFileLoader("score_forecast", str(ROOT / "scripts" / "score-forecast"))
    spec = importlib.util.spec_from_loader("score_forecast", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def scored(capsys, file, *arguments):
    assert load_script().main([str(file), *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_script_scores_the_steel_works(capsys):
    file = ROOT / "tests" / "data" / "load_steel" / "steel_2018_01_08_hourly.csv.gz"
    found = scored(capsys, file, "--time", "start", "--value", "power_kw", "--every", "8")
    assert found["mase"] < 0.9 * found["naive_mase"]
    assert found["origins"] >= 10


def test_the_script_says_when_there_is_too_little(tmp_path):
    file = tmp_path / "short.csv"
    file.write_text("t,v\n2026-01-01T00:00,1\n2026-01-02T00:00,2\n")
    with pytest.raises(SystemExit, match="2 days; it takes at least 73"):
        load_script().main([str(file), "--time", "t", "--value", "v"])


@NEEDS_DATA
@pytest.mark.parametrize(
    ("file", "arguments", "share"),
    [
        ("electricity/ucsd/DemandCharge_2018-01_2019-06.csv.gz", [*US, "--value", "TotalCampusLoad"], 0.85),
        ("electricity/ucsd/MusicBuilding.csv.gz", [*US, "--value", "RealPower"], 0.80),
        ("electricity/ucsd/StudentServices.csv.gz", [*US, "--value", "RealPower"], 0.85),
        (
            "gas_heat/danish_heat_meter/processed_final_data_sample_2018_2019.csv.gz",
            ["--time", "time_rounded", "--value", "energy_heat_kwh", "--difference"],
            0.85,
        ),
        ("gas_heat/uk_hourly/uk-gas-hdd-only-hourly-sample-0.csv.gz", ["--time", "start", "--value", "value"], 0.85),
    ],
)
def test_on_real_series_it_beats_the_week_before(capsys, file, arguments, share):
    found = scored(capsys, Path(str(DATA)) / file, *arguments, "--every", "12")
    assert found["origins"] >= 10
    assert found["mase"] < share * found["naive_mase"]
    assert 0.7 < found["coverage"] < 0.9
