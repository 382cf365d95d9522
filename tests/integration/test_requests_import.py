"""A desk brings its requests along: all of them or none, each once, with what happened when and by whom."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from fix_ingest import load_park
from smartpark.cli import main
from smartpark.clock import utc_now
from smartpark_simulators.desk import DeskPark, desk_histories, line_of
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, forget_idempotent, put_person, read_events, read_rows
from smartpark_storage.load_requests.rows import RequestFilter

TOLD_UNTIL = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture
def desk_dsn(database_dsn, monkeypatch):
    load_park(database_dsn)
    with connect(database_dsn, application="test") as connection:
        put_person(connection, Person("chen", "陈工", "Chen", ""))
        connection.commit()
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    return database_dsn


@pytest.fixture
def stories():
    return list(desk_histories([DeskPark("park", "chen")], 12, now=TOLD_UNTIL, seed=7, span_days=60))


@pytest.fixture
def told(caplog, capsys):
    """Everything that was said to whoever ran the command."""
    return lambda: capsys.readouterr().err + caplog.text


def written(path, stories):
    path.write_text("\n".join(line_of(f"old-{n}", events) for n, events in enumerate(stories)) + "\n")
    return str(path)


def count(dsn):
    with connect(dsn, application="test") as connection:
        return len(read_rows(connection, RequestFilter(), today=TOLD_UNTIL.date(), limit=1000))


def test_histories_are_taken_in_as_they_were_and_once(desk_dsn, stories, tmp_path, capsys):
    file = written(tmp_path / "old.jsonl", stories)
    before = utc_now()
    assert main(["requests", "import", file, "--by", "chen", "--json"]) == 0
    taken = json.loads(capsys.readouterr().out)["added"]
    assert len(taken) == len(stories)
    with connect(desk_dsn, application="test") as connection:
        for number, events in enumerate(stories):
            kept = read_events(connection, taken[f"old-{number}"])
            assert [(one.sequence, one.at, one.by, one.body) for one in kept] == [
                (one.sequence, one.at, one.by, one.body) for one in events
            ]
            assert all(one.recorded_at >= before for one in kept), "nothing pretends to have been on record before"
        forget_idempotent(connection, utc_now() + timedelta(days=1))
        connection.commit()
    assert main(["requests", "import", file, "--by", "chen", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"added": {}, "known": taken}
    assert count(desk_dsn) == len(stories)


def test_one_line_that_does_not_follow_the_rules_keeps_all_out_and_is_named(desk_dsn, stories, tmp_path, told):
    path = tmp_path / "old.jsonl"
    lines = [line_of(f"old-{n}", events) for n, events in enumerate(stories)]
    broken = json.loads(lines[3])
    broken["events"].append({"at": "2026-11-20T08:30:00Z", "by": "chen", "body": {"type": "resumed"}})
    path.write_text("\n".join([*lines[:3], json.dumps(broken), *lines[4:]]))
    assert main(["requests", "import", str(path), "--by", "chen"]) != 0
    # A history of this seed that is over takes no more; the test says which of both it met.
    assert "line 4 (old-3): it has ended" in told()
    assert count(desk_dsn) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        (lambda one: one["events"][0]["body"]["details"].update(park="elsewhere"), "elsewhere"),
        (lambda one: one["events"][0].update(by="nobody"), "there is no active person 'nobody'"),
        (lambda one: one["events"][0]["body"]["details"].pop("applicant"), "applicant"),
        (lambda one: one["events"][0].update(at="2031-01-01T00:00:00Z"), "later than recorded_at"),
        (lambda one: one.update(colour="red"), "colour"),
    ],
)
def test_what_is_wrong_is_told_by_line(desk_dsn, stories, tmp_path, told, wrong):
    change, said = wrong
    one = json.loads(line_of("old-0", stories[0]))
    change(one)
    path = tmp_path / "old.jsonl"
    path.write_text("\n" + json.dumps(one))
    assert main(["requests", "import", str(path), "--by", "chen"]) != 0
    words = told()
    assert "line 2" in words
    assert said in words
    assert count(desk_dsn) == 0


def test_a_known_reference_with_another_history_is_not_rewritten(desk_dsn, stories, tmp_path, told):
    assert main(["requests", "import", written(tmp_path / "old.jsonl", stories[:2]), "--by", "chen"]) == 0
    other = written(tmp_path / "other.jsonl", [stories[0], stories[2]])
    assert main(["requests", "import", other, "--by", "chen"]) != 0
    assert "line 2 (old-1): this reference was taken in before" in told()
    assert count(desk_dsn) == 2


def opened_at(day):
    details = {
        "park": "park",
        "applicant": "厂",
        "kind": "new_supply",
        "applied_kva": 500,
        "voltage": "10kv",
        "contact_role": "x",
    }
    body = {"type": "opened", "details": details}
    return {"at": f"{day}T02:00:00Z", "by": "chen", "body": body}


def later(body, day="2026-11-03", **more):
    return {"at": f"{day}T02:00:00Z", "by": "chen", "body": body | more}


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ([later({"type": "moved", "to": "survey"}), later({"type": "undone", "sequence": 7})], "cannot be undone"),
        (
            [
                later({"type": "moved", "to": "survey"}),
                later({"type": "commented", "text": "x"}),
                later({"type": "undone", "sequence": 2}),
            ],
            "cannot be undone",
        ),
        (
            [
                later({"type": "moved", "to": "survey"}),
                later({"type": "moved", "to": "scheme_reply"}),
                later({"type": "scheme_replied", "approved_kva": 500, "node": "feeder/none"}),
            ],
            "has no 'feeder/none'",
        ),
        (
            [
                later(
                    {"type": "amended", "reason": "x"},
                    details=opened_at("2026-11-02")["body"]["details"] | {"node": "feeder/none"},
                )
            ],
            "has no 'feeder/none'",
        ),
        (
            [later({"type": "attached", "attachment": "0" * 32, "name": "a.pdf", "kind": "x", "size_bytes": 1})],
            "documents are not taken in",
        ),
    ],
)
def test_a_history_may_do_no_more_than_the_desk(desk_dsn, tmp_path, told, more, because):
    for event in more:
        if event["body"]["type"] == "attached":
            event["body"]["sha256"] = "0" * 64
    path = tmp_path / "forged.jsonl"
    path.write_text(json.dumps({"reference": "old", "events": [opened_at("2026-11-02"), *more]}))

    assert main(["requests", "import", str(path), "--by", "chen"]) != 0

    assert because in told()
    assert count(desk_dsn) == 0
