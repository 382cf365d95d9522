"""What scripts/render-dashboards decides without npm and a browser: pins, frames, words about what is missing."""

import importlib
import json
import re
import runpy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from smartpark.errors import SmartparkError

ROOT = Path(__file__).parents[2]
RENDER = ROOT / "dashboards" / "render"
RENDERING = ROOT / "scripts" / "rendering"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = int(NOON.timestamp() * 1000)
TEXT, NUMBER, TIME, BOOLEAN = 25, 1700, 1184, 16


@pytest.fixture
def rendering(monkeypatch):
    """Modules of the command by name."""
    monkeypatch.syspath_prepend(RENDERING)
    return importlib.import_module


@pytest.fixture
def command(rendering, capsys):
    """The command as a function of its arguments, which returns its exit code and what it said."""
    main = runpy.run_path(str(RENDERING), run_name="rendering")["main"]

    def run(*arguments):
        try:
            code = main(list(arguments))
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_versions_are_pinned_locked_and_told():
    pins = json.loads((RENDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    lock = json.loads((RENDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    told = (ROOT / "dashboards" / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"`([@a-z/0-9-]+)`\s(\d+\.\d+\.\d+)", told))
    assert {name: said.get(name) for name in pins} == pins
    assert {name: lock[f"node_modules/{name}"]["version"] for name in pins} == pins


def test_the_lock_file_holds_every_package_by_its_digest_and_names_no_registry():
    text = (RENDER / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert '"resolved"' not in text


def test_every_type_of_panel_on_our_pages_can_be_drawn():
    source = (RENDER / "src" / "panels.jsx").read_text(encoding="utf-8")
    standing_in = source.partition("const STANDING_IN = {")[2].partition("\n};")[0]
    known = set(re.findall(r"register\('([a-z-]+)'", source)) | set(re.findall(r"'?([\w-]+)'?: \[[A-Z]", standing_in))
    pages = [
        json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "dashboards/generated").glob("*/*.json")
    ]
    used = {panel["type"] for page in pages for panel in page["panels"]} - {"row"}
    assert used - known == set()


def test_help_says_what_it_does_and_what_it_needs(command):
    code, said = command("--help")
    assert code == 0
    for word in ("--dashboard", "--lang", "--width", "--out", "--json", "stand-in", "Nothing leaves the machine"):
        assert word in said


def test_it_says_what_is_missing(command, monkeypatch, tmp_path):
    monkeypatch.delenv("SMARTPARK_DSN", raising=False)
    code, said = command("--cache", str(tmp_path))
    assert code == 2
    assert "SMARTPARK_DSN" in said
    assert "--made-up" in said
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = command("--cache", str(tmp_path), "--dsn", "host=nowhere", "--out", str(tmp_path))
    assert code == 2
    assert "no npm on the PATH" in said
    assert "apt-get install npm" in said
    code, said = command("--dashboard", "no-such", "--dsn", "host=nowhere")
    assert code == 2
    assert "no dashboard no-such; there are load-requests" in said


def test_it_says_that_there_is_no_browser(rendering, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SmartparkError, match="apt-get install chromium"), rendering("headless").chromium():
        pass


def fields_of(frame):
    names = [(field["name"], field["type"]) for field in frame["schema"]["fields"]]
    return dict(zip(names, frame["data"]["values"], strict=True))


@pytest.fixture
def frame_of(rendering):
    made = rendering("server_half").frame_of

    def make(columns, rows, form):
        return made(columns, rows, {"refId": "A", "format": form})

    return make


def test_an_answer_without_rows_is_a_frame_without_fields(frame_of):
    for form in ("table", "time_series"):
        assert frame_of([("time", TIME), ("kw", NUMBER)], [], form)["schema"]["fields"] == []


def test_a_table_keeps_its_columns_and_says_moments_in_milliseconds(frame_of):
    columns = [("name", TEXT), ("since", TIME), ("day", 1082), ("kw", NUMBER), ("on", BOOLEAN), ("other", 2950)]
    rows = [("甲", NOON, date(2026, 11, 23), Decimal("1.5"), True, "u"), (None, None, None, None, None, None)]
    assert fields_of(frame_of(columns, rows, "table")) == {
        ("name", "string"): ["甲", None],
        ("since", "time"): [MOMENT, None],
        ("day", "time"): [MOMENT - 12 * 3600 * 1000, None],
        ("kw", "number"): [1.5, None],
        ("on", "boolean"): [True, None],
        ("other", "string"): ["u", None],
    }


def test_rows_with_a_text_are_spread_into_series(frame_of):
    rows = [(NOON, "a", 1.0), (NOON, "b", 2.0), (NOON.replace(hour=13), "b", 3.0)]
    columns = [("time", TIME), ("metric", TEXT), ("kw", NUMBER)]
    later = MOMENT + 3600 * 1000
    assert fields_of(frame_of(columns, rows, "time_series")) == {
        ("Time", "time"): [MOMENT, later],
        ("a", "number"): [1.0, None],
        ("b", "number"): [2.0, 3.0],
    }


def test_with_more_columns_series_carry_their_text_as_a_label(frame_of):
    columns = [("time", TIME), ("metric", TEXT), ("kw", NUMBER), ("kva", NUMBER)]
    frame = frame_of(columns, [(NOON, "a", 1.0, 2.0)], "time_series")
    assert [(field["name"], field.get("labels")) for field in frame["schema"]["fields"]] == [
        ("Time", None), ("kw", {"metric": "a"}), ("kva", {"metric": "a"}),
    ]  # fmt: skip


def test_what_grafanas_server_refuses_is_refused(frame_of):
    with pytest.raises(ValueError, match="time column is missing"):
        frame_of([("at", TIME), ("kw", NUMBER)], [(NOON, 1.0)], "time_series")
    late = [(NOON, "a", 1.0), (NOON.replace(hour=11), "a", 2.0)]
    with pytest.raises(ValueError, match="not sorted"):
        frame_of([("time", TIME), ("metric", TEXT), ("kw", NUMBER)], late, "time_series")


def test_a_query_that_grafana_writes_otherwise_than_our_rules_is_refused(rendering):
    statement = rendering("server_half").statement
    body = {"from": str(MOMENT), "to": str(MOMENT + 1000)}
    query = {"written": "SELECT '$park' AS name, $__timeTo()", "chosen": {"park": {"value": "o'b", "several": False}}}
    same = {**query, "rawSql": "SELECT 'o''b' AS name, $__timeTo()"}
    assert statement(same, body, timescale=False) == "SELECT 'o''b' AS name, '2026-11-23T12:00:01Z'"
    with pytest.raises(SmartparkError, match=r"grafana_sql\.py as"):
        statement({**query, "rawSql": "SELECT 'x' AS name, $__timeTo()"}, body, timescale=False)
