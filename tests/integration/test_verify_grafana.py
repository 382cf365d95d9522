"""`scripts/verify-grafana` and `smartpark grafana report --database` ask every query, and see what is wrong.

The Grafana is our strict fake, which lets a real database answer: macros are expanded as Grafana's data source does.
"""

import copy
import json
import os
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import dashboard_parks
import psycopg
import pytest
from fake_grafana import ADMIN, FakeGrafana
from smartpark.cli import main
from smartpark.errors import SmartparkError
from smartpark_dashboards.asking import _ZONES, NUMBER, TEXT, TIME, Answer, interval_of, moment_of, shape_problems
from smartpark_dashboards.generated import render_documents, write_files
from smartpark_dashboards.grafana_sql import GrafanaWouldRefuseError, Request, expand
from smartpark_dashboards.lint import queries_of
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_storage import connect, reading_sql
from smartpark_storage.readers import put_reader, remove_reader

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = list(render_documents().values())
SCRIPT = ROOT / "scripts" / "verify-grafana"
KINDS = {16: "boolean", 1184: "time", 1114: "time", 1082: "time"} | dict.fromkeys(
    (20, 21, 23, 700, 701, 1700), "number"
)


@pytest.fixture(scope="module")
def parks_dsn(shared_plain_dsn):
    """A database with parks that have something to show."""
    with connect(shared_plain_dsn, application="test") as connection:
        dashboard_parks.seed(connection)
    return shared_plain_dsn


@pytest.fixture
def asked(grafana, parks_dsn):
    """The fake with everything provisioned, and a database behind it."""
    for language in ("smartpark", "smartpark-en"):
        english = language.endswith("-en")
        fitting = [d for d in DOCUMENTS if d["uid"].endswith("-en") is english]
        grafana.provision("Main Org.", fitting, language)
    grafana.rules = [rule.uid for rule in RULES]
    source = {
        "uid": "park-tsdb",
        "name": "park",
        "type": "grafana-postgresql-datasource",
        "user": "smartpark_grafana",
    }
    grafana.org("Main Org.")["sources"]["park-tsdb"] = source | {"secureJsonData": {"password": "x"}}
    with psycopg.connect(parks_dsn, autocommit=True) as connection:
        connection.execute("SET ROLE smartpark_grafana")
        grafana.ask = lambda query, request: frames(connection, query, request)
        yield grafana


def frames(connection, query, request):
    """What Grafana's data source would make of a query."""
    start, end = (datetime.fromtimestamp(int(request[key]) / 1000, UTC) for key in ("from", "to"))
    try:
        sql = expand(query["rawSql"], Request(start, end, {}, timescale=False))
        cursor = psycopg.ClientCursor(connection).execute(sql)
    except (psycopg.Error, GrafanaWouldRefuseError) as error:
        raise ValueError(f"db query error: {error}") from error
    rows = cursor.fetchall()
    if not rows:
        return [{"schema": {"fields": []}, "data": {"values": []}}]
    fields = [{"name": c.name, "type": KINDS.get(c.type_code, "string")} for c in cursor.description]
    values = [[_plain(row[n]) for row in rows] for n in range(len(fields))]
    return [{"schema": {"fields": fields}, "data": {"values": values}}]


def _plain(value):
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value


def verify(grafana, tmp_path, *options, word=ADMIN[1]):
    """Run the script as somebody with nothing but python3 would: no site-packages, no environment of ours."""
    file = tmp_path / "password"
    file.write_text(word)
    command = [sys.executable, "-S", str(SCRIPT), "--url", grafana.url, "--password-file", str(file)]
    # Whether the committed files are what the code says, test_dashboards.py sees.
    write_files(tmp_path / "generated")
    command += ["--folder", str(tmp_path / "generated"), *options]
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=240)


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.soak)])
def test_every_query_of_every_dashboard_is_asked_and_passes(asked, tmp_path, language):
    done = verify(asked, tmp_path, "--json", "--language", language)
    told = json.loads(done.stdout)
    wrong = [check for check in told["checks"] if not check["passed"]]
    assert (done.returncode, wrong) == (0, [])
    fitting = [d for d in DOCUMENTS if d["uid"].endswith("-en") is (language == "en")]
    queries = {(check["dashboard"], check["place"]) for check in told["checks"] if check["check"] == "query"}
    wanted = {(d["uid"], place) for d in fitting for place in queries_of(d)} | {("", rule.uid) for rule in RULES}
    assert queries == wanted
    assert told["passed"] == len(told["checks"]) == len(queries) + len(fitting) + len(RULES) + 2
    shown = sum(check["rows"] > 0 for check in told["checks"] if check["check"] == "query")
    # In the first minutes of a month a third of the pages has nothing to say of it yet.
    assert shown > 0.6 * len(queries), "parks that have something to show"
    assert asked.writes == []


def test_what_is_wrong_is_named_with_its_place(asked, tmp_path):
    pages = asked.org("Main Org.")["dashboards"]
    page = copy.deepcopy(pages["park-power"])
    page["dashboard"]["panels"][0]["title"] = "mine"
    with_targets = [panel for panel in page["dashboard"]["panels"] if panel.get("targets")]
    with_targets[0]["targets"][0]["rawSql"] = "SELECT 1 FROM smartpark.park"
    with_targets[1]["targets"][0]["rawSql"] = "SELECT $__unheard(x)"
    pages["park-power"] = page
    del pages["park-alerts"]
    done = verify(asked, tmp_path, "--language", "zh", "--dashboard", "park-power", "--dashboard", "park-alerts")
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 4
    assert "HTTP 404: Dashboard not found" in failed[-1] or "HTTP 404: Dashboard not found" in failed[0]
    assert re.search(r"park-power +dashboard .*is not what the file says: panel \d+\.", done.stdout)
    assert "permission denied" in done.stdout
    assert "unknown macro" in done.stdout
    assert done.stdout.splitlines()[-1].split(";")[0].endswith("4 failed")


def test_a_page_in_another_form_passes_and_is_said(asked, tmp_path):
    asked.rewritten = {"schemaVersion": 99}
    done = verify(asked, tmp_path, "--dashboard", "park-alerts")
    assert done.returncode == 0
    assert "Grafana keeps otherwise schemaVersion" in done.stdout


def test_an_alert_rule_that_is_not_there_is_told(asked, tmp_path, monkeypatch):
    asked.rules.remove("platform-no-readings")
    folder = tmp_path / "zh"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(asked.org("Main Org.")["dashboards"]["park-alerts"]["dashboard"]))
    done = verify(asked, tmp_path, "--language", "zh", "--folder", str(tmp_path), "--quiet")
    assert done.returncode == 1
    assert "platform-no-readings" in done.stdout
    assert " 1 failed" in done.stdout


def test_a_server_that_is_not_well_is_asked_nothing_more(asked, tmp_path):
    asked.database = "failing"
    done = verify(asked, tmp_path, "--quiet")
    assert done.returncode == 1
    assert "its database: failing" in done.stdout
    assert asked.log == ["getHealth"]


def test_a_data_source_that_does_not_answer_is_told(asked, tmp_path):
    asked.taken = "another"
    done = verify(asked, tmp_path, "--dashboard", "platform-operation", "--quiet")
    assert done.returncode == 1
    assert "password authentication failed" in done.stdout


def test_a_wrong_password_an_unknown_organisation_and_nobody_there(asked, tmp_path):
    wrong = verify(asked, tmp_path, "--dashboard", "park-power", "--quiet", word="not this one")
    assert wrong.returncode == 1
    assert "HTTP 401" in wrong.stdout
    assert "not this one" not in wrong.stdout + wrong.stderr
    strange = verify(asked, tmp_path, "--organisation", "无此园区")
    assert strange.returncode == 2
    assert "HTTP 404: Organization not found" in strange.stderr
    away = FakeGrafana()
    away.close()
    nobody = verify(away, tmp_path, "--wait", "0.1")
    assert nobody.returncode == 1
    assert "cannot be reached" in nobody.stdout
    assert verify(asked, tmp_path, "--dashboard", "park-nothing").returncode == 2


def test_another_organisation_is_asked_within_itself(asked, tmp_path):
    asked.new_org("闽侯园区")
    other, main = asked.org("闽侯园区"), asked.org("Main Org.")
    other["sources"], other["dashboards"], other["folders"] = main["sources"], main["dashboards"], main["folders"]
    main["dashboards"] = {}
    done = verify(asked, tmp_path, "--organisation", "闽侯园区", "--dashboard", "park-alerts")
    assert done.returncode == 0, done.stdout


# --- smartpark grafana report --database --------------------------------------------------------------------------


def test_the_report_asks_every_query_as_grafanas_role(parks_dsn, capsys):
    assert main(["grafana", "report", "--database", parks_dsn, "--json", "--folder", "/nowhere"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {check["result"] for query in told["queries"] for check in query["checks"]} == {"pass"}
    assert sum(query["rows"] > 0 for query in told["queries"]) > 0.8 * len(told["queries"]) - len(RULES)
    assert all(query["milliseconds"] >= 0 for query in told["queries"])
    assert told["summary"]["not made"] == len(told["dashboards"]), "there are no files to compare"


def test_a_role_that_may_not_read_is_told_query_by_query(parks_dsn, capsys, monkeypatch):
    documents = {"zh/park-alerts.json": next(d for d in DOCUMENTS if d["uid"] == "park-alerts")}
    monkeypatch.setattr("smartpark_dashboards.generated.render_documents", lambda: documents)
    assert main(["grafana", "report", "--database", parks_dsn, "--role", "smartpark_api"]) == 2
    assert "answers: permission denied" in capsys.readouterr().out


def test_a_reader_of_one_park_is_shown_that_park_by_every_query(parks_dsn, capsys, monkeypatch):
    documents = {"zh/park-overview.json": next(d for d in DOCUMENTS if d["uid"] == "park-overview")}
    monkeypatch.setattr("smartpark_dashboards.generated.render_documents", lambda: documents)
    name = f"report{uuid.uuid4().hex[:8]}"
    with connect(parks_dsn, application="test") as connection:
        put_reader(connection, name, [dashboard_parks.ONE])
    try:
        for role, parks in ((f"smartpark_grafana_{name}", 1), ("smartpark_grafana", len(dashboard_parks.DENSE) + 1)):
            main(["grafana", "report", "--database", parks_dsn, "--role", role, "--json", "--folder", "/nowhere"])
            queries = json.loads(capsys.readouterr().out)["queries"]
            assert [query["rows"] for query in queries if query["place"] == "$park"] == [parks]
            assert {c["result"] for query in queries for c in query["checks"] if c["check"] == "answers"} == {"pass"}
    finally:
        with connect(parks_dsn, application="test") as connection:
            remove_reader(connection, name)


def test_who_is_no_superuser_cannot_seem_to_be_a_reader(parks_dsn):
    with connect(parks_dsn, application="test") as connection:
        connection.execute("SET SESSION AUTHORIZATION smartpark_grafana")
        with pytest.raises(SmartparkError, match="by who logs in"):
            reading_sql._how(connection, "smartpark_grafana_minhou")
        assert reading_sql._how(connection, "smartpark_grafana") == "role"


def test_a_database_that_is_not_there_is_told(capsys):
    assert main(["grafana", "report", "--database", "postgresql://nobody@127.0.0.1:1/nothing"]) == 1
    assert "database not available" in capsys.readouterr().err


# --- what it stands on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("now", "2026-03-10T16:30:00+00:00"),
        ("now-24h", "2026-03-09T16:30:00+00:00"),
        ("now-90d", "2025-12-10T16:30:00+00:00"),
        ("now/d", "2026-03-10T16:00:00+00:00"),
        ("now/w", "2026-03-08T16:00:00+00:00"),
        ("now/y", "2025-12-31T16:00:00+00:00"),
        ("now-1y/M", "2025-02-28T16:00:00+00:00"),
        ("now-3M/M", "2025-11-30T16:00:00+00:00"),
    ],
)
def test_moments_are_those_of_the_pages_time_zone(text, wanted):
    now = datetime(2026, 3, 10, 16, 30, tzinfo=UTC)  # the 11th in Beijing, a Wednesday
    assert moment_of(text, now, _ZONES["Asia/Shanghai"]).isoformat() == wanted


def test_every_page_begins_and_ends_with_moments_that_are_understood():
    for document in DOCUMENTS:
        start, end = (moment_of(document["time"][key], datetime.now(UTC), UTC) for key in ("from", "to"))
        assert start < end
        assert interval_of(end - start).total_seconds() >= 60
    with pytest.raises(SmartparkError, match="no moment"):
        moment_of("yesterday", datetime.now(UTC), UTC)


@pytest.mark.parametrize(
    ("form", "columns", "rows", "wanted"),
    [
        ("time_series", [("time", TEXT), ("v", NUMBER)], [(1, 2)], ["answers no column time that is a moment"]),
        ("time_series", [("time", TIME), ("v", NUMBER)], [(2, 1), (1, 1)], ["is not in the order of time"]),
        ("time_series", [("time", TIME), ("v", NUMBER)], [(None, 1)], ["answers rows without a time"]),
        ("time_series", [("time", TIME)], [(1,)], ["answers no values"]),
        ("variable", [("a", TEXT)], [("x",)], ["answers ['a']"]),
        ("variable", [("__text", TEXT), ("__value", TEXT)], [], ["answers nothing to choose from"]),
        ("variable", [("__text", TEXT), ("__value", TEXT)], [("a", "x"), ("b", "x")], ["answers a value twice"]),
        ("mark", [("time", TIME), ("timeend", TIME), ("text", TEXT), ("tags", TEXT)], [(2, 1, "", "")],
         ["answers a span that ends before it begins"]),
        ("table", [("a", TEXT), ("a", TEXT)], [("x", "y")],
         ["answers no column 'b'", "answers two columns of one name"]),
        ("table", [("b", TEXT)], [("x",)], []),
    ],
)  # fmt: skip
def test_shapes_that_a_panel_makes_nothing_of_are_told(form, columns, rows, wanted):
    named = frozenset({"b"} if form == "table" else ())
    assert shape_problems(form, named, Answer(columns, rows)) == wanted
