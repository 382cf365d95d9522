"""The audit log: every write and every read of aggregates leaves its line, refusals too; nothing happens without."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fix_api import NOON, PARK_FILE, ParkHand
from fix_gate import AS_JSON, CHIEF, DETAILS, NOBODY, OTHER, OWN, AccessServer
from smartpark.access import Grant, Role
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark_storage import connect
from smartpark_storage.access import AuditEntry, AuditFilter, read_audit

FIGURE = {
    "kind": "value_added",
    "period": "2026Q2",
    "value": 8500,
    "price_basis": "current",
    "source_document": "monthly return",
}
FIGURES = {"entered_by": "Chen", "figures": [FIGURE]}


def line_of(server: AccessServer, answer: httpx.Response) -> AuditEntry | None:
    """Line of the request that was answered."""
    with connect(server.dsn, application="test") as connection:
        found = read_audit(connection, AuditFilter())
    lines = [one for one in found if one.request_id == answer.headers["x-request-id"]]
    assert len(lines) <= 1, lines
    return lines[0] if lines else None


def written(server: AccessServer, answer: httpx.Response) -> AuditEntry:
    """The same, where there has to be one."""
    line = line_of(server, answer)
    assert line is not None, f"no line for {answer.request.method} {answer.request.url}"
    return line


def test_a_write_says_who_what_where_and_what_became_of_it(access_server: AccessServer):
    client = access_server.client("operator")
    answer = client.post(f"/api/v1/parks/{OWN}/figures", json=FIGURES)
    assert answer.status_code == 200, answer.text
    line = written(access_server, answer)
    key = access_server.keys["operator"].split("_")[1]
    assert (line.principal, line.proof) == ("client:operator", f"key:{key}")
    assert (line.action, line.object) == ("recordParkFigures", f"/api/v1/parks/{OWN}/figures")
    assert (line.park, line.status, line.at, line.remote) == (OWN, 200, NOON, "127.0.0.1")


def test_what_is_made_and_its_version_stand_in_the_line(access_server: AccessServer):
    client = access_server.client("utility-manager")
    made = client.post("/api/v1/load-requests", json={"details": {**DETAILS, "park": OWN}})
    line = written(access_server, made)
    code, version = made.json()["request"]["code"], made.json()["request"]["version"]
    assert (line.status, line.park, line.detail) == (201, OWN, {"made": code, "version": version})
    again = {"Idempotency-Key": "once"}
    lines = [
        written(
            access_server, client.post(f"/api/v1/load-requests/{code}/comments", json={"text": "a"}, headers=again)
        )
        for _ in range(2)
    ]
    assert [line.detail.get("repeated", False) for line in lines] == [False, True]
    assert [line.status for line in lines] == [201, 201]


@pytest.mark.parametrize(
    ("name", "path", "body", "status"),
    [
        (NOBODY, f"/api/v1/parks/{OWN}/figures", FIGURES, 401),
        ("province", f"/api/v1/parks/{OWN}/figures", FIGURES, 403),
        ("operator", f"/api/v1/parks/{OTHER}/figures", FIGURES, 404),
        ("operator", f"/api/v1/parks/{OWN}/figures", {"entered_by": ""}, 422),
        ("operator", "/api/v1/nothing-here", {}, 404),
    ],
)
def test_a_write_that_is_refused_leaves_its_line_too(access_server: AccessServer, name, path, body, status):
    answer = access_server.client(name).post(path, json=body)
    line = written(access_server, answer)
    assert (answer.status_code, line.status) == (status, status)
    assert line.principal == ("nobody" if name == NOBODY else f"client:{name}")


def test_reads_of_aggregates_leave_a_line_and_other_reads_none(access_server: AccessServer):
    client = access_server.client("province")
    pulled = client.get("/api/v1/aggregates")
    line = written(access_server, pulled)
    assert (line.action, line.status, line.rows) == ("pullAggregates", 200, len(pulled.json()["rows"]))
    assert line.principal == "client:province"
    unchanged = client.get("/api/v1/aggregates", headers={"if-none-match": pulled.headers["etag"]})
    assert unchanged.status_code == 304
    assert line_of(access_server, unchanged) is None
    assert line_of(access_server, client.get("/api/v1/parks")) is None
    refused = access_server.client("utility-manager").get("/api/v1/aggregates")
    assert written(access_server, refused).status == 403
    unknown = client.get("/api/v1/aggregates", params={"cursor": "nonsense"})
    assert written(access_server, unknown).status == unknown.status_code == 400


def test_forms_of_pages_leave_their_line(access_server: AccessServer):
    access_server.grant("chen", Grant(Role.ADMINISTRATOR, OWN))
    client = access_server.session("chen", accept="text/html")
    page = client.get("/people").text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token, "code": "newcomer", "name": "新人", "language": "zh"}
    answer = client.post("/people", data=form)
    assert answer.status_code == 303, answer.text[:1000]
    line = written(access_server, answer)
    assert (line.principal, line.proof, line.action, line.status) == ("person:chen", "session", "keepPerson", 303)
    forged = client.post("/people", data=form | {"csrf": "wrong"})
    assert written(access_server, forged).status == forged.status_code == 403


# --- nothing without its line ---


@pytest.fixture
def unwritable(plain_database_dsn: str, client_of: Callable[..., httpx.Client]) -> httpx.Client:
    """A server in whose audit log nothing can be written any more."""
    ParkHand(plain_database_dsn).load(load_catalogue(PARK_FILE))
    with psycopg.connect(plain_database_dsn) as connection:
        connection.execute("REVOKE INSERT ON smartpark.audit_entry FROM smartpark_api")
    return client_of(plain_database_dsn)


def test_a_write_that_cannot_be_written_down_does_not_happen(unwritable: httpx.Client):
    answer = unwritable.post(f"/api/v1/parks/{OWN}/figures", json=FIGURES)
    assert answer.status_code >= 500
    assert unwritable.get(f"/api/v1/parks/{OWN}/figures").json()["figures"] == []


def test_aggregates_are_not_handed_out_unwritten(unwritable: httpx.Client):
    answer = unwritable.get("/api/v1/aggregates")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:smartpark:problem:database-unavailable")
    assert "rows" not in answer.json()
    assert unwritable.get("/api/v1/parks").status_code == 200


# --- reading it ---


def entries(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    """A page of the log."""
    answer = client.get("/api/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["entries"]


def test_the_log_is_filtered_and_turned_page_by_page(access_server: AccessServer):
    operator, chief = access_server.client("operator"), access_server.client(CHIEF)
    for n in range(7):
        operator.post(f"/api/v1/parks/{OWN}/figures", json=FIGURES if n % 2 else {})
    all_of_them = entries(chief, principal="client:operator", limit=1000)
    assert len(all_of_them) >= 7
    read: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while True:
        page = chief.get("/api/v1/audit", params={"principal": "client:operator", "limit": 3, **after}).json()
        read += page["entries"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert read == all_of_them
    assert [one["entry"] for one in read] == sorted((one["entry"] for one in read), reverse=True)
    refused = entries(chief, principal="client:operator", refused=True, limit=1000)
    assert {one["status"] >= 400 for one in refused} == {True}
    assert {one["action"] for one in entries(chief, action="recordPark", limit=1000)} == {"recordParkFigures"}
    assert entries(chief, action="Park") == []
    assert entries(chief, **{"from": "2026-11-22T12:00:01+08:00"}) == []
    assert {one["park"] for one in entries(chief, park=OWN)} == {OWN}
    bad = chief.get("/api/v1/audit", params={"after": "nonsense"})
    assert bad.status_code == 422


def test_the_log_comes_as_a_table(access_server: AccessServer):
    chief = access_server.client(CHIEF)
    answer = chief.get("/api/v1/audit", params={"limit": 1000}, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    as_json = entries(chief, limit=1000)
    assert as_json
    assert [(row["entry"], row["principal"], row["park"]) for row in rows] == [
        (str(one["entry"]), one["principal"], one["park"] or "") for one in as_json
    ]


def test_an_administrator_of_a_park_reads_of_that_park_only(access_server: AccessServer):
    chief = access_server.client(CHIEF)
    chief.put(f"/api/v1/parks/{OTHER}/managers/deputy/2026-05-01", json={"person": "lin"})
    assert OTHER in {one["park"] for one in entries(chief, limit=1000)}
    own = entries(access_server.client("administrator"), limit=1000)
    assert {one["park"] for one in own} <= {OWN}


def test_a_server_that_trusts_its_machine_writes_its_lines_too(plain_client: httpx.Client):
    answer = plain_client.post(f"/api/v1/parks/{OWN}/figures", json=FIGURES, headers=AS_JSON)
    assert answer.status_code == 200
    (line,) = entries(plain_client, action="recordPark")
    assert (line["principal"], line["proof"]) == ("local", "local")


def test_commands_that_write_leave_their_line(
    access_server: AccessServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SMARTPARK_DSN", access_server.dsn)
    table = tmp_path / "figures.csv"
    table.write_text(
        "park,entity,kind,period,value,unit,source_document\n"
        f"{OWN},park,tax,2026Q1,120,万元,return\n{OTHER},park,tax,2026Q1,90,万元,return\n"
    )
    code = access_server.requests[OTHER]
    assert main(["requests", "people", "put", "zhao", "--name", "Zhao"]) == 0
    assert main(["requests", "act", code, "commented", "text=seen", "--by", "chen"]) == 0, capsys.readouterr().err
    assert main(["figures", "import", str(table), "--by", "Chen"]) == 0, capsys.readouterr().err
    with connect(access_server.dsn, application="test") as connection:
        found = read_audit(connection, AuditFilter(action="cli:"))
    told = {(line.action, line.object, line.park, line.rows) for line in found}
    assert ("cli:requests people put", "zhao", None, None) in told
    assert ("cli:requests act", code, OTHER, None) in told
    assert {("cli:figures import", "figures.csv", park, 1) for park in (OWN, OTHER)} <= told
    assert {line.principal for line in found} == {"local"}
