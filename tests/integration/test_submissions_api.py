"""Submitting over HTTP: who, what, gaps, signatures, corrections beside it, keys; whatever is altered shows."""

import json
from datetime import datetime
from hashlib import sha256

import httpx
import pytest
from fix_provider import ENERGY, PARK_ZONE, day, number, provide, two_months
from smartpark.aggregates import Manifest
from smartpark_api.aggregates.seal_keys import is_signed, load_key, make_key, public_of_pem
from smartpark_api.aggregates.verifying import MANIFEST, Paper, read_paper, verify, write_paper
from smartpark_storage import connect
from smartpark_storage.access import AuditFilter, read_audit
from smartpark_storage.load_requests import Person, put_person


@pytest.fixture
def park(provider):
    """A park with two complete months."""
    code = provider.park()
    provider.publish(*two_months(code))
    return code


def seal(provider, park, period="2026-10", name=None, **more):
    client = provider.client(name or f"{park}-operator")
    return client.post("/submissions", json={"park": park, "period": period, **more})


def kind_of(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def paper_of(client, code):
    """Everything by which others verify, fetched as they would."""
    told = client.get(f"/submissions/{code}").json()
    return Paper(
        client.get(f"/submissions/{code}/manifest").content,
        client.get(f"/submissions/{code}/signature").content,
        client.get(f"/submissions/{code}/rows").content,
        public_of_pem(client.get(f"/submissions/keys/{told['key_id']}").text, where="test"),
    )


# --- sealing ---


def test_a_period_that_is_complete_is_sealed(provider, park):
    answer = seal(provider, park, note="10月月报")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["code"], told["sequence"], told["grain"], told["gaps"]) == (f"{park}/2026-10/1", 1, "month", [])
    assert (told["rows"], told["note"], told["sealed_by"]) == (5, "10月月报", f"client:{park}-operator")
    assert answer.headers["location"] == f"/api/v1/submissions/{park}/2026-10/1"
    key = load_key(provider.seal_key)
    assert told["key_id"] == key.key_id
    assert is_signed(told["manifest"].encode(), bytes.fromhex(told["signature"]), key.public)
    manifest = Manifest.parse(told["manifest"])
    assert (manifest.digest, manifest.period, manifest.park) == (told["digest"], "2026-10", park)
    found = provider.client(park).get(f"/submissions/{told['code']}").json()
    assert found == {name: value for name, value in told.items() if name != "gaps"}


def test_the_puller_sees_what_was_submitted(provider, park):
    client = provider.client(park)
    cursor = client.get("/aggregates").json()["cursor"]
    seal(provider, park)
    changed = client.get("/aggregates", params={"cursor": cursor}).json()["rows"]
    assert {(row["grain"], row["start"][:7], row["submitted"], row["submission"]) for row in changed} == {
        ("month", "2026-10", True, f"{park}/2026-10/1")
    }
    assert len(changed) == 5


def test_rows_are_the_bytes_of_the_digest(provider, park):
    code = seal(provider, park).json()["code"]
    client = provider.client(park)
    answer = client.get(f"/submissions/{code}/rows")
    assert sha256(answer.content).hexdigest() == client.get(f"/submissions/{code}").json()["digest"]
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["boundary"] for line in lines] == [*(f"enterprise/T0{n}" for n in range(1, 5)), "park"]
    packed = client.get(f"/submissions/{code}/rows", headers={"accept-encoding": "gzip"})
    assert packed.content == answer.content
    assert packed.headers["unencoded-digest"] == answer.headers["unencoded-digest"]


def test_a_day_a_month_and_a_year_can_be_submitted(provider, park):
    assert seal(provider, park, "2026-10-05", accept_incomplete=True).json()["grain"] == "day"
    assert kind_of(seal(provider, park, "2025")) == (409, "nothing-to-submit")
    provider.publish(number(park, 400.0, datetime(2025, 1, 1, tzinfo=PARK_ZONE), grain="year"))
    assert seal(provider, park, "2025").json()["code"] == f"{park}/2025/1"


# --- what is not sealed ---


def test_gaps_are_listed_and_nothing_is_sealed_unless_they_are_accepted(provider, park):
    october = day(1)
    provider.publish(
        number(park, 910.5, october, grain="month", completeness=0.75),
        number(park, None, october, grain="month", boundary="enterprise/T01", completeness=0.0),
        number(park, 3.0, day(1, 9), grain="month", indicator="comprehensive_energy"),
    )
    refused = seal(provider, park)
    assert kind_of(refused) == (409, "period-incomplete")
    gaps = refused.json()["gaps"]
    assert [(gap["kind"], gap["boundary"], gap["indicator"], gap["completeness"]) for gap in gaps] == [
        ("no_value", "enterprise/T01", ENERGY, 0.0),
        ("missing", "park", "comprehensive_energy", None),
        ("incomplete", "park", ENERGY, 0.75),
    ]
    client = provider.client(park)
    assert client.get("/submissions", params={"park": park}).json()["submissions"] == []
    assert not any(row["submitted"] for row in client.get("/aggregates").json()["rows"])
    accepted = seal(provider, park, accept_incomplete=True)
    assert accepted.status_code == 201, accepted.text
    assert accepted.json()["gaps"] == gaps


@pytest.mark.parametrize(
    ("period", "status", "kind"),
    [
        ("2026-11", 409, "period-not-over"),
        ("2026", 409, "period-not-over"),
        ("2027-01", 409, "period-not-over"),
        ("2026-11-22", 409, "period-not-over"),
        ("2020-01", 409, "nothing-to-submit"),
        ("2026-13", 422, "invalid-request"),
        ("2026-02-30", 422, "invalid-request"),
        ("october", 422, "invalid-request"),
        ("2026-10-01T00", 422, "invalid-request"),
    ],
)
def test_a_period_that_cannot_be_submitted_says_why(provider, park, period, status, kind):
    assert kind_of(seal(provider, park, period, accept_incomplete=True)) == (status, kind)


def test_the_same_numbers_are_not_submitted_twice(provider, park):
    seal(provider, park)
    again = seal(provider, park)
    assert kind_of(again) == (409, "nothing-to-submit")
    assert f"{park}/2026-10/1" in again.json()["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"park": "x"}, {"park": "x", "period": "2026-10", "force": True}, {"period": 5}]
)
def test_a_body_that_is_not_understood_is_refused(provider, park, body):
    answer = provider.client(f"{park}-operator").post("/submissions", json=body)
    assert kind_of(answer) == (422, "invalid-request")


# --- corrections ---


def test_a_later_correction_stands_beside_what_was_submitted(provider, park):
    code = seal(provider, park).json()["code"]
    client = provider.client(park)
    before = paper_of(client, code)
    assert client.get(f"/submissions/{code}/corrections").json() == {"code": code, "corrections": []}
    provider.publish(
        number(park, 911.25, day(1), grain="month"),
        number(park, 77.0, day(1), grain="month", indicator="comprehensive_energy"),
    )
    added, corrected = client.get(f"/submissions/{code}/corrections").json()["corrections"]
    assert (corrected["indicator"], corrected["submitted"]["value"], corrected["current"]["value"]) == (
        ENERGY,
        910.0,
        911.25,
    )
    assert (corrected["submitted"]["revision"], corrected["current"]["revision"]) == (1, 2)
    assert (added["indicator"], added["submitted"], added["current"]["value"]) == ("comprehensive_energy", None, 77.0)
    assert paper_of(client, code) == before

    second = seal(provider, park)
    assert second.json()["code"] == f"{park}/2026-10/2"
    assert client.get(f"/submissions/{second.json()['code']}/corrections").json()["corrections"] == []
    assert paper_of(client, code) == before
    listed = client.get("/submissions", params={"park": park}).json()["submissions"]
    assert [one["code"] for one in listed] == [f"{park}/2026-10/1", f"{park}/2026-10/2"]


def test_submissions_come_page_by_page(provider, park):
    for n in (1, 2, 3):
        assert seal(provider, park, f"2026-10-0{n}", accept_incomplete=True).status_code == 201
    client = provider.client(park)
    first = client.get("/submissions", params={"limit": 2}).json()
    assert ([one["period"] for one in first["submissions"]], first["more"]) == (["2026-10-01", "2026-10-02"], True)
    rest = client.get("/submissions", params={"cursor": first["cursor"]}).json()
    assert ([one["period"] for one in rest["submissions"]], rest["more"]) == (["2026-10-03"], False)
    assert kind_of(client.get("/submissions", params={"cursor": "x"})) == (400, "bad-cursor")
    other = client.get("/aggregates").json()["cursor"]
    assert kind_of(client.get("/submissions", params={"cursor": other})) == (400, "cursor-of-other-filters")


# --- who ---


def test_only_who_may_seal_seals_and_only_in_their_park(provider, park):
    assert kind_of(seal(provider, park, name=park)) == (403, "not-granted")
    foreign = seal(provider, "west", name=f"{park}-operator")
    unknown = seal(provider, "nope", name=f"{park}-operator")
    assert kind_of(foreign) == kind_of(unknown) == (404, "park-not-found")
    assert foreign.json()["detail"].replace("west", "nope") == unknown.json()["detail"]
    assert kind_of(seal(provider, "nope", name="chief")) == (404, "park-not-found")


def test_submissions_of_others_are_as_unknown_as_none(provider, park):
    code = seal(provider, park).json()["code"]
    stranger = provider.client(provider.park())
    for part in ("", "/manifest", "/signature", "/rows", "/corrections"):
        theirs = stranger.get(f"/submissions/{code}{part}")
        none = stranger.get(f"/submissions/nope{code.removeprefix(park)}{part}")
        assert theirs.status_code == none.status_code == 404
        assert theirs.json()["detail"].replace(park, "nope") == none.json()["detail"]
    assert stranger.get("/submissions").json()["submissions"] == []
    own = provider.client(park)
    assert kind_of(own.get(f"/submissions/{park}/2026-10/7")) == (404, "submission-not-found")
    assert kind_of(own.get(f"/submissions/{park}/2026-10/0")) == (422, "invalid-request")
    assert kind_of(own.get(f"/submissions/{park}/october/1")) == (422, "invalid-request")


def test_who_sealed_what_when_is_written_down(provider, park):
    provider.publish(number(park, 1.5, day(1), grain="month", completeness=0.5))
    seal(provider, park)
    seal(provider, park, accept_incomplete=True)
    with connect(provider.dsn, application="test") as connection:
        lines = read_audit(connection, AuditFilter(principal=f"client:{park}-operator"), limit=10)
    sealed, refused = lines
    assert (sealed.action, sealed.status, sealed.park, sealed.object, sealed.rows) == (
        "sealSubmission",
        201,
        park,
        f"{park}/2026-10/1",
        5,
    )
    assert (sealed.detail["gaps"], sealed.detail["key"]) == (1, load_key(provider.seal_key).key_id)
    assert (refused.action, refused.status, refused.park) == ("sealSubmission", 409, park)


# --- keys ---


def test_keys_are_told_and_a_retired_one_still_verifies(provider, park):
    code = seal(provider, park).json()["code"]
    client = provider.client(park)
    paper = paper_of(client, code)
    keys = {key["key_id"]: key for key in client.get("/submissions/keys").json()["keys"]}
    mine = keys[load_key(provider.seal_key).key_id]
    assert (public_of_pem(mine["public_key"], where="test"), mine["source"]) == (paper.public_key, None)
    assert verify(paper).holds
    assert kind_of(client.get("/submissions/keys/ed25519-0")) == (404, "seal-key-not-found")


def test_a_server_without_a_key_seals_nothing(plain_database_dsn, tmp_path):
    for provider in provide(plain_database_dsn, tmp_path, seal_key_file=None):
        provider.publish(*two_months("west"))
        answer = seal(provider, "west", name="chief")
        assert kind_of(answer) == (501, "not-configured")
        assert "SMARTPARK_SEAL_KEY_FILE" in answer.json()["detail"]


def test_a_key_that_cannot_be_used_is_the_logs_business(plain_database_dsn, tmp_path, caplog):
    file = tmp_path / "other.key"
    make_key(file)
    file.chmod(0o644)
    for provider in provide(plain_database_dsn, tmp_path, seal_key_file=file):
        answer = seal(provider, "west", name="chief")
        assert kind_of(answer) == (501, "not-configured")
        assert "other.key" not in answer.text
    assert "others can read the key that seals" in caplog.text


def test_at_the_machine_itself_the_header_names_who_seals(plain_database_dsn, tmp_path):
    for provider in provide(plain_database_dsn, tmp_path, access="local"):
        provider.publish(*two_months("west"))
        client = httpx.Client(base_url=f"{provider.address}/api/v1", timeout=60)
        given = {"park": "west", "period": "2026-10"}
        with client:
            stranger = client.post("/submissions", json=given, headers={"Smartpark-Actor": "nobody-known"})
            assert kind_of(stranger) == (403, "nobody-acts")
            with connect(provider.dsn, application="test") as connection:
                put_person(connection, Person("chen", "陈", "Chen", "chen@example.org"))
                connection.commit()
            named = client.post("/submissions", json=given, headers={"Smartpark-Actor": "chen"})
            assert named.json()["sealed_by"] == "chen"
            provider.publish(number("west", 1.0, day(1), grain="month"))
            assert client.post("/submissions", json=given).json()["sealed_by"] == "local"


# --- verification from files ---


def changed(paper, **parts):
    content = {name: getattr(paper, name) for name in Paper.__slots__}
    return verify(Paper(**content | parts)).complaints


def test_whatever_is_altered_shows(provider, park, tmp_path):
    code = seal(provider, park, note="as it was").json()["code"]
    paper = paper_of(provider.client(park), code)
    assert verify(paper).holds
    assert verify(paper).manifest.code == code
    other = make_key(tmp_path / "other.key")
    manifest = paper.manifest

    assert "signed with this key" in changed(paper, manifest=manifest.replace(b"as it was", b"as it is!"))[0]
    assert "not in the one form" in changed(paper, manifest=manifest + b" ")[-1]
    assert "no manifest" in changed(paper, manifest=b"\xff")[-1] or changed(paper, manifest=b"\xff")
    assert len(changed(paper, signature=bytes(64))) == 1
    assert "63 bytes" in changed(paper, signature=paper.signature[:-1])[0]
    digest, rows = changed(paper, rows=paper.rows[: paper.rows.index(b"\n") + 1])
    assert "digest" in digest
    assert rows == "there are 1 rows, the manifest says 5"
    assert "digest" in changed(paper, rows=paper.rows.replace(b"910.0", b"910.5"))[0]
    swapped = b"".join(reversed(paper.rows.splitlines(keepends=True)))
    assert "digest" in changed(paper, rows=swapped)[0]
    assert any("is of west" in said for said in changed(paper, rows=paper.rows.replace(park.encode(), b"west")))
    assert any("line 1 is no row" in said for said in changed(paper, rows=b"x" + paper.rows))
    forged = changed(paper, signature=other.sign(manifest), public_key=other.public)
    assert forged == (f"the manifest names the key {load_key(provider.seal_key).key_id}, given is {other.key_id}",)


def test_files_are_written_once_and_read_again(provider, park, tmp_path):
    paper = paper_of(provider.client(park), seal(provider, park).json()["code"])
    folder = tmp_path / "handed-in"
    assert [file.name for file in write_paper(paper, folder)] == [MANIFEST, "manifest.sig", "rows.ndjson", "key.pem"]
    assert read_paper(folder) == paper
    with pytest.raises(Exception, match=r"manifest\.json: cannot be written"):
        write_paper(paper, folder)
    (folder / "rows.ndjson").unlink()
    with pytest.raises(Exception, match=r"rows\.ndjson: cannot be read"):
        read_paper(folder)
