"""`smartpark requests` on a real database: people, a request, what happens to it, tables, numbers."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from smartpark.cli import main


@pytest.fixture
def run(plain_hand, monkeypatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", plain_hand.dsn)
    monkeypatch.delenv("SMARTPARK_ACTOR", raising=False)

    def answer(*arguments, expect=0):
        code = main(["requests", *map(str, arguments)])
        told = capsys.readouterr()
        assert code == expect, told.err
        return told.out if expect == 0 else told.err

    return answer


def test_a_request_on_the_terminal(run, tmp_path: Path, monkeypatch):
    assert run("people", "list") == "nobody yet\n"
    run("people", "put", "chen", "--name", "陈工", "--email", "chen@example.org")
    run("managers", "put", "testpark", "chen", "--from", "2026-01-01")
    assert "chen" in run("managers", "list")
    assert "taken" not in run("people", "put", "system", "--name", "x", expect=1)
    particulars = (
        "--park",
        "testpark",
        "--applicant",
        "闽侯铝业",
        "--kva",
        "2000",
        "--voltage",
        "10kv",
        "--contact",
        "电工",
    )
    assert "say who does it" in run("open", *particulars, expect=1)
    assert "no active person 'lin'" in run("open", *particulars, "--by", "lin", expect=1)
    monkeypatch.setenv("SMARTPARK_ACTOR", "chen")
    seen = json.loads(run("open", *particulars, "--json"))
    code = seen["request"]["code"]
    assert seen["request"]["manager"] == "chen"

    assert code in run("list", "--park", "testpark", "--stage", "acceptance")
    assert run("list", "--stage", "survey") == "no request fits\n"
    moved = json.loads(run("act", code, "moved", "--json"))
    assert moved["request"]["stage"] == "survey", "to the next one, where nothing else is said"
    assert "is at version 3" in run("act", code, "moved", "--expected", "2", expect=1)
    assert "NAME=VALUE" in run("act", code, "suspended", "documents_missing", expect=1)
    run("act", code, "suspended", "reason=documents_missing", "note=缺少授权书")
    shown = run("show", code)
    assert "suspended: 资料不全 documents missing" in shown
    assert "note=缺少授权书" in shown
    assert "may take: " in shown
    assert "there is no load request" in run("show", "LR-2026-999999", expect=1)

    assert json.loads(run("calendar", "refresh", "--json")) == {"refreshed": 1}
    numbers = json.loads(run("kpis", "--json"))
    assert numbers["received"] == {"count": 1, "kva": 2000.0}
    assert "received" in run("kpis", "--park", "testpark")
    for name in ("t.csv", "t.xlsx"):
        assert run("export", tmp_path / name).endswith(": 1 requests\n")
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert load_workbook(tmp_path / "t.xlsx").active["A2"].value == code
    assert ".csv or .xlsx" in run("export", tmp_path / "t.pdf", expect=1)
    run("act", code, "withdrawn", "reason=not needed")
    assert code in run("list", "--ended")
    run("managers", "remove", "testpark", "--from", "2026-01-01")
    assert run("managers", "list") == "nobody yet\n"
