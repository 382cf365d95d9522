"""`smartpark alerts contacts` and `routes`: loaded whole or not at all, looked at, and tried."""

import json

import pytest
from alert_notices import SIGNS, Desk
from fix_ingest import as_ingest, fetch
from smartpark.cli import main

MISSING = "the secret file duty cannot be read: No such file or directory"
FILE = """
[[contact]]
code = "duty"
name = "值班室"
channel = "webhook"
address = "duty"

[[contact]]
code = "chief"
name = "主任"
language = "en"
channel = "mail"
address = "chief"

[[route]]
code = "severe"
severities = ["critical"]
contacts = ["duty"]

[[route.escalation]]
after_min = 15
contacts = ["chief"]

[[route]]
code = "rest"
contacts = ["duty"]

[route.hours]
days = "workdays"
start = "08:00"
end = "18:00"
"""


@pytest.fixture
def desk(plain_database_dsn, tmp_path, monkeypatch, mail_server):
    desk = Desk(plain_database_dsn, tmp_path)
    monkeypatch.setenv("SMARTPARK_DSN", as_ingest(plain_database_dsn))
    monkeypatch.setenv("SMARTPARK_ALERT_SECRETS", str(tmp_path))
    for name, value in mail_server.environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "routes.toml").write_text(FILE, encoding="utf-8")
    return desk


def run(capsys, *words):
    code = main(["alerts", *words])
    return code, capsys.readouterr().out.splitlines()


def load(desk, capsys, text=FILE, *more):
    (desk.folder / "routes.toml").write_text(text, encoding="utf-8")
    return run(capsys, "routes", "load", str(desk.folder / "routes.toml"), *more)


def test_a_file_is_loaded_whole_told_in_the_audit_log_and_the_second_time_changes_nothing(desk, capsys):
    path = str(desk.folder / "routes.toml")
    assert run(capsys, "routes", "check", path) == (0, [f"{path}: 2 contacts, 2 routes: fine"])
    assert run(capsys, "routes", "list") == (
        0,
        ["There is no route: nobody is told of any alert. Load a file by: smartpark alerts routes load FILE"],
    )
    assert load(desk, capsys) == (0, ["changed: 2 contacts, 2 routes"])
    assert load(desk, capsys) == (0, ["changed: 0 contacts, 0 routes"])
    assert run(capsys, "routes", "list")[1] == [
        'severe → duty: severities ["critical"], escalation [{"after_min": 15.0, "contacts": ["chief"]}]',
        'rest → duty: hours {"days": "workdays", "start": "08:00:00", "end": "18:00:00"}',
    ]
    audit = fetch(desk.dsn, "SELECT action, object, detail FROM smartpark.audit_entry ORDER BY entry_id")
    assert audit[0] == (
        "cli:alerts routes load",
        "routes.toml",
        {"contacts": ["duty", "chief"], "routes": ["severe", "rest"]},
    )
    without = FILE[: FILE.index('[[route]]\ncode = "rest"')]
    assert load(desk, capsys, without) == (0, ["changed: 0 contacts, 0 routes"])
    assert load(desk, capsys, without, "--replace") == (0, ["changed: 0 contacts, 1 routes; switched off: rest"])
    assert run(capsys, "routes", "list")[1][1].endswith("(not active)")


def test_a_file_with_a_problem_changes_nothing(desk, capsys):
    load(desk, capsys)
    # Contact chief is not in this file; on record it is, and so the file alone is refused.
    broken = FILE.replace('contacts = ["chief"]', 'contacts = ["nobody"]').replace("主任", "经理")
    assert main(["alerts", "routes", "load", _written(desk, broken)]) == 2
    assert "route[severe].escalation[0].contacts: there is no contact nobody" in capsys.readouterr().err
    assert json.loads(run(capsys, "contacts", "list", "--json")[1][0])["name"] == "主任"


def _written(desk, text):
    path = desk.folder / "routes.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_whom_an_alert_would_be_told_to_can_be_asked(desk, capsys):
    load(desk, capsys)
    asked = ("routes", "test", "--park", "park", "--at", "2026-03-02T20:00+08:00")
    assert run(capsys, *asked, "--severity", "critical") == (
        0,
        [
            "contact duty, by webhook, at 2026-03-02 20:00:00, why it fired",
            "contact chief, by mail, at 2026-03-02 20:15:00, why nobody has taken note",
        ],
    )
    code, (line,) = run(capsys, *asked, "--object", "point:park/M1/voltage", "--cause", "power_quality", "--json")
    assert code == 0
    assert json.loads(line) == {"contact": "nobody yet", "why": "a route fits, and its hours have not begun"}


def test_contacts_are_looked_at_and_tried(desk, capsys, receiver_of_hooks, mail_server):
    load(desk, capsys)
    code, lines = run(capsys, "contacts", "check")
    assert code == 2
    assert lines == [
        "chief: address: the secret file chief cannot be read: No such file or directory",
        f"duty: address: {MISSING}",
    ]
    desk.keep("duty", receiver_of_hooks.url, SIGNS)
    desk.keep("chief", "chief@example.org")
    assert run(capsys, "contacts", "check")[0] == 0
    assert receiver_of_hooks.heard == []
    assert run(capsys, "contacts", "test", "duty") == (0, ["duty: handed over by webhook"])
    assert receiver_of_hooks.taken[0].document["type"] == "alerts.test"
    assert run(capsys, "contacts", "test", "chief")[0] == 0
    assert [str(one["Subject"]) for one in mail_server.box.to("chief@example.org")] == ["[test] alerts"]
    receiver_of_hooks.answers = [500]
    assert main(["alerts", "contacts", "test", "duty"]) == 1
    assert "answered 500" in capsys.readouterr().err
    assert main(["alerts", "contacts", "test", "who"]) in (1, 2)


def test_how_far_each_contact_has_been_told_is_listed(desk, capsys):
    load(desk, capsys)
    desk.fire("09:59")
    desk.plan("10:00")
    desk.send("10:01")
    assert run(capsys, "contacts", "list")[1] == [
        "chief 主任, mail, en",
        f"duty 值班室, webhook, zh: sent 0, waiting 1, given up 0; {MISSING}",
    ]
