"""Pulling aggregates over HTTP: forms, pages, tags, digests, every wrong question; nobody sees other parks."""

import base64
import csv
import gzip
import io
import json
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from threading import Event, Semaphore
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fix_provider import ARROW, ENERGY, RATIO, REGIONS, day, number
from smartpark.access import Grant, Role
from smartpark.aggregates import FIELDS, AggregateRow, Cursor, canonical_line, digest_of, key_of
from smartpark_storage import connect, publish_indicators
from smartpark_storage.access import AuditFilter, read_audit
from smartpark_storage.aggregates import FeedFilter, read_feed, state_digest

SPAN = {"from": "2026-09-30T16:00:00Z", "to": "2026-10-02T16:00:00Z"}
AWKWARD = [-0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e16, -123456.78900000001, 1 / 3]
JSON_NAMES = [field.name for field in FIELDS]
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture(scope="module")
def filled(provider):
    """Two parks' days, awkward numbers among them; some are not known."""
    rows = [number(park, value, day(n + 1)) for park in ("west", "east") for n, value in enumerate(AWKWARD)]
    rows += [number("west", None, day(20), completeness=0.1), number("west", 2.5, day(20), grain="hour")]
    rows += [number("west", 0.5, day(1), indicator=RATIO, grain="month", parts=(1.0, 2.0))]
    rows += [number("west", 7.5, day(1), grain="month", boundary="enterprise/T02")]
    provider.publish(*rows)
    return provider


def rows_of_json(answer):
    return [row_of(one) for one in answer.json()["rows"]]


def row_of(one, *, uscc=None):
    """A row as a puller in Python would make it of JSON."""

    def told(value):
        return None if value is None else float(value)

    numbers = {name: told(one[name]) for name in ("value", "numerator", "denominator", "uncertainty")}
    shares = {name: float(one[name]) for name in ("completeness", "estimated_share")}
    instants = {name: datetime.fromisoformat(one[name]).astimezone(UTC) for name in ("start", "end", "computed_at")}
    return AggregateRow(**{**one, **numbers, **shares, **instants, "factors": tuple(one["factors"])})


def rows_of_table(table):
    return [AggregateRow(**{**one, "factors": tuple(one["factors"])}) for one in table.to_pylist()]


def rows_of_csv(text):
    found = []
    for one in csv.DictReader(io.StringIO(text, newline="")):
        for name in ("value", "numerator", "denominator", "uncertainty", "submission", "uscc"):
            one[name] = one[name] or None
        one["factors"] = one["factors"].split(";") if one["factors"] else []
        one["submitted"] = one["submitted"] == "true"
        one["revision"] = int(one["revision"])
        found.append(row_of(one))
    return found


def bits(row):
    """Everything of a row, numbers as their bits."""
    said = {name: getattr(row, name) for name in JSON_NAMES}
    return {name: struct.pack("<d", v) if isinstance(v, float) else v for name, v in said.items()}


def held(provider):
    """What the database holds of the province's parks, read without HTTP."""
    with connect(provider.dsn, application="test") as connection:
        return list(read_feed(connection, FeedFilter(parks=frozenset(REGIONS)), None, limit=10_000).columns)


# --- forms ---


def test_every_form_gives_the_same_rows_to_the_last_bit(filled):
    client, expected = filled.client("province"), [bits(row) for row in held(filled)]
    assert len(expected) == 2 * len(AWKWARD) + 4

    def rows(accept, read):
        answer = client.get("/aggregates", headers={"accept": accept})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(accept)
        assert answer.headers["smartpark-rows"] == str(len(expected))
        return [bits(row) for row in read(answer)]

    assert rows("application/json", rows_of_json) == expected
    assert rows("application/x-ndjson", lambda a: [row_of(json.loads(x)) for x in a.text.splitlines()]) == expected
    assert rows("text/csv", lambda a: rows_of_csv(a.text)) == expected
    assert rows(ARROW, lambda a: rows_of_table(pa.ipc.open_stream(a.content).read_all())) == expected
    assert rows(PARQUET, lambda a: rows_of_table(pq.read_table(io.BytesIO(a.content)))) == expected


def test_a_row_says_all_that_is_promised(filled):
    answer = filled.client("province").get("/aggregates", params={"boundary": "enterprise", "grain": "month"}).json()
    (row,) = answer["rows"]
    assert list(row) == JSON_NAMES
    assert row["uscc"].startswith("91350121MA0001")
    assert (row["region"], row["boundary"], row["value"], row["unit"]) == ("350121", "enterprise/T02", 7.5, "kWh")
    assert (row["start"], row["end"]) == ("2026-10-01T00:00:00+08:00", "2026-11-01T00:00:00+08:00")
    assert (row["revision"], row["submitted"], row["submission"]) == (1, False, None)
    assert row["factors"] == ["mee-2025-47:electricity:FJ:2023", "gb-2589-2020:electricity"]
    assert (row["method"], row["factor_set"], row["completeness"]) == ("test/1", "2026-11", 1.0)


def test_a_ratio_carries_its_parts_and_what_is_not_known_is_null(filled):
    client = filled.client("province")
    (ratio,) = client.get("/aggregates", params={"indicator": RATIO}).json()["rows"]
    assert (ratio["value"], ratio["numerator"], ratio["denominator"]) == (0.5, 1.0, 2.0)
    unknown = [r for r in client.get("/aggregates", params={"park": "west"}).json()["rows"] if r["value"] is None]
    assert [(row["reason"], row["completeness"]) for row in unknown] == [("no reading of M0", np.float32(0.1))]


def test_arrow_says_types_and_where_to_go_on(filled):
    answer = filled.client("province").get("/aggregates", headers={"accept": ARROW})
    schema = pa.ipc.open_stream(answer.content).schema
    assert schema.field("value").type == pa.float64()
    assert schema.field("start").type == pa.timestamp("us", tz="UTC")
    assert schema.field("factors").type == pa.list_(pa.string())
    assert schema.metadata[b"smartpark.cursor"].decode() == answer.headers["smartpark-cursor"]


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "application/json;q=0", "image/*"])
def test_a_form_that_is_not_given_is_refused(filled, accept):
    answer = filled.client("province").get("/aggregates", headers={"accept": accept})
    assert (answer.status_code, answer.json()["type"]) == (406, "urn:smartpark:problem:not-acceptable")
    assert ARROW in answer.json()["detail"]


def test_the_form_liked_best_is_given(filled):
    answer = filled.client("province").get("/aggregates", headers={"accept": "text/csv;q=0.2, application/*;q=0.1"})
    assert answer.headers["content-type"].startswith("text/csv")


def test_a_body_has_the_digest_it_says_also_when_it_is_compressed(filled):
    client = filled.client("province")
    plain = client.get("/aggregates")
    packed = client.get("/aggregates", headers={"accept-encoding": "gzip"})
    digest = f"sha-256=:{base64.b64encode(sha256(plain.content).digest()).decode()}:"
    assert plain.headers["unencoded-digest"] == plain.headers["repr-digest"] == digest
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["unencoded-digest"] == digest
    # Of the bytes as sent, which a generic reader would compare, nothing is said.
    assert "repr-digest" not in packed.headers
    assert packed.content == plain.content
    assert "Accept-Encoding" in packed.headers["vary"]
    with client.stream("GET", "/aggregates", headers={"accept-encoding": "gzip"}) as raw:
        sent = b"".join(raw.iter_raw())
    assert gzip.decompress(sent) == plain.content
    assert len(sent) < len(plain.content) / 3
    assert client.get("/aggregates", headers={"accept-encoding": "gzip;q=0, identity"}).status_code == 200


# --- pages and cursors ---


def test_pages_are_stable_and_whole(filled):
    client = filled.client("province")
    whole = client.get("/aggregates").json()
    pages, cursor, more = [], None, True
    while more:
        asked = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/aggregates", params=asked)
        assert client.get("/aggregates", params=asked).content == answer.content, "the same cursor, the same page"
        page = answer.json()
        assert len(page["rows"]) <= 5
        assert answer.headers["smartpark-more"] == str(page["more"]).lower()
        assert ("link" in answer.headers) == page["more"]
        if page["more"]:
            followed = client.get(f"{filled.address}{answer.links['next']['url']}")
            assert (
                followed.json()["rows"]
                == client.get("/aggregates", params={"limit": 5, "cursor": page["cursor"]}).json()["rows"]
            )
        pages += page["rows"]
        cursor, more = page["cursor"], page["more"]
    assert pages == whole["rows"]
    assert client.get("/aggregates", params={"cursor": whole["cursor"]}).json()["rows"] == []


def test_filters_choose(filled):
    client = filled.client("province")

    def asked(**wanted):
        answer = client.get("/aggregates", params=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    assert {row["park"] for row in asked(park=["west"])} == {"west"}
    assert {row["park"] for row in asked(park=["west", "east"])} == {"west", "east"}
    assert {row["grain"] for row in asked(grain=["hour", "month"])} == {"hour", "month"}
    assert {row["boundary"] for row in asked(boundary="enterprise/T02")} == {"enterprise/T02"}
    spans = {"from": "2026-10-02T00:00:00+08:00", "to": "2026-10-04T00:00:00+08:00", "grain": "day", "park": "west"}
    assert [row["start"][:10] for row in asked(**spans)] == ["2026-10-02", "2026-10-03"]
    assert asked(park="far") == []


def test_a_late_correction_comes_behind_the_cursor_and_once(provider):
    park = provider.park()
    provider.publish(*(number(park, float(n), day(n)) for n in range(1, 6)))
    client = provider.client(park)
    first = client.get("/aggregates").json()
    provider.publish(number(park, 99.0, day(2)), number(park, 3.0, day(3)))
    changed = client.get("/aggregates", params={"cursor": first["cursor"]}).json()
    assert [(row["start"][:10], row["revision"], row["value"]) for row in changed["rows"]] == [
        ("2026-10-02", 2, 99.0)
    ]
    again = client.get("/aggregates", params={"cursor": changed["cursor"]}).json()
    assert (again["rows"], again["more"]) == ([], False)
    everything = client.get("/aggregates", params={"revisions": "all"}).json()["rows"]
    assert sorted(row["revision"] for row in everything) == [1, 1, 1, 1, 1, 2]
    assert len(client.get("/aggregates").json()["rows"]) == 5


# --- unchanged ---


@pytest.mark.parametrize("sees_all", [True, False])
def test_an_unchanged_answer_is_a_304(provider, sees_all):
    park = provider.park()
    provider.publish(number(park, 1.0, day(1)))
    client = provider.client("chief" if sees_all else park)
    cursor = client.get("/aggregates").json()["cursor"]
    at_end = client.get("/aggregates", params={"cursor": cursor})
    tag = at_end.headers["etag"]
    assert tag.startswith('W/"')

    def again(given, **more):
        return client.get("/aggregates", params={"cursor": cursor}, headers={"if-none-match": given} | more)

    unchanged = again(f'"other", {tag}')
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == tag
    assert unchanged.headers["smartpark-cursor"] == cursor
    assert again("*").status_code == 304
    assert again('W/"other"').status_code == 200
    assert again(tag, accept="text/csv").status_code == 200
    provider.publish(number(park, 2.0, day(1)))
    changed = again(tag)
    assert changed.status_code == 200
    assert [row["value"] for row in changed.json()["rows"]] == [2.0]


# --- wrong questions ---


@pytest.mark.parametrize(
    ("query", "status", "kind", "location"),
    [
        ("limit=0", 422, "invalid-request", "query.limit"),
        ("limit=50001", 422, "invalid-request", "query.limit"),
        ("limit=many", 422, "invalid-request", "query.limit"),
        ("cursor=nonsense", 400, "bad-cursor", None),
        ("cursor=", 400, "bad-cursor", None),
        (f"cursor={'A' * 106}", 400, "bad-cursor", None),
        ("cursor=%E4%B8%AD", 400, "bad-cursor", None),
        ("parks=west", 422, "invalid-request", "query.parks"),
        ("park=nowhere", 404, "park-not-found", None),
        ("park=west&park=nowhere", 404, "park-not-found", None),
        ("park=", 422, "invalid-request", "query.park.0"),
        ("indicator=heat", 422, "invalid-request", "query.indicator.0"),
        ("grain=week", 422, "invalid-request", "query.grain.0"),
        ("grain=15min", 422, "invalid-request", "query.grain.0"),
        ("boundary=street", 422, "invalid-request", "query.boundary.0"),
        ("revisions=some", 422, "invalid-request", "query.revisions"),
        ("from=yesterday", 422, "invalid-request", "query.from"),
        ("from=2026-10-01", 422, "invalid-request", "query.from"),
        ("from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z", 422, "invalid-request", "query"),
    ],
)
def test_what_is_wrong_is_named(filled, query, status, kind, location):
    answer = filled.client("province").get(f"/aggregates?{query}")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:smartpark:problem:{kind}"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    if location is not None:
        assert [one["location"] for one in problem["errors"]] == [location]


def test_a_cursor_serves_its_own_question_only(filled):
    client = filled.client("province")
    cursor = client.get("/aggregates").json()["cursor"]

    def kind(text, **wanted):
        answer = client.get("/aggregates", params={"cursor": text, **wanted})
        return answer.status_code, answer.json()["type"].rpartition(":")[2]

    assert kind(cursor, park="west") == (400, "cursor-of-other-filters")
    assert kind(cursor[:-1]) == (400, "bad-cursor")
    assert kind(cursor[:-1] + ("A" if cursor[-1] != "A" else "B")) == (400, "bad-cursor")
    own = Cursor.decode(cursor)
    of = {name: getattr(own, name) for name in Cursor.__slots__}
    assert kind(Cursor(**of | {"instance": uuid4()}).encode()) == (410, "cursor-gone")
    assert kind(Cursor(**of | {"token": uuid4()}).encode()) == (410, "cursor-gone")
    assert kind(Cursor(**of | {"position": own.position + 1}).encode()) == (410, "cursor-gone")


def test_a_cursor_ends_where_rights_change(provider):
    park, other = provider.park(), provider.park()
    provider.publish(number(park, 1.0, day(1)), number(other, 2.0, day(1)))
    client = provider.client(park)
    cursor = client.get("/aggregates").json()["cursor"]
    provider.grant(park, Grant(Role.PROVINCE, other))
    answer = client.get("/aggregates", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:smartpark:problem:cursor-scope-changed")
    assert {row["park"] for row in client.get("/aggregates").json()["rows"]} == {park, other}


# --- digests ---


def test_the_digest_is_that_of_the_rows_pulled(filled):
    client = filled.client("province")
    page = client.get("/aggregates").json()
    rows = sorted(rows_of_json(client.get("/aggregates")), key=key_of)
    told = client.get("/aggregates/digest", params={"at": page["cursor"]})
    assert told.json() == {
        "instance": page["instance"],
        "cursor": page["cursor"],
        "rows": len(rows),
        "sha256": digest_of(canonical_line(row) for row in rows),
    }
    unchanged = client.get(
        "/aggregates/digest", params={"at": page["cursor"]}, headers={"if-none-match": told.headers["etag"]}
    )
    assert unchanged.status_code == 304
    assert client.get("/aggregates/digest", params={"park": "west"}).json()["sha256"] != told.json()["sha256"]


def test_a_digest_of_then_stays_that_of_then(provider):
    park = provider.park()
    provider.publish(number(park, 1.0, day(1)))
    client = provider.client("chief")
    before = client.get("/aggregates").json()["cursor"]
    then = client.get("/aggregates/digest", params={"at": before}).json()
    provider.publish(number(park, 2.0, day(1)))
    assert client.get("/aggregates/digest", params={"at": before}).json() == then
    assert client.get("/aggregates/digest").json()["sha256"] != then["sha256"]


def test_digests_do_not_take_the_whole_server(provider, monkeypatch):
    park = provider.park()
    provider.publish(number(park, 1.0, day(1)))
    begun, may_end = Semaphore(0), Event()

    def slow(connection, wanted, *, at):
        begun.release()
        assert may_end.wait(60)
        return state_digest(connection, wanted, at=at)

    monkeypatch.setattr("smartpark_api.aggregates.describing.state_digest", slow)

    def ask(grain):
        return provider.client(park).get("/aggregates/digest", params={"grain": grain})

    with ThreadPoolExecutor(2) as others:
        waiting = [others.submit(ask, grain) for grain in ("day", "month")]
        try:
            assert all(begun.acquire(timeout=60) for _ in waiting)
            refused = ask("year")
        finally:
            may_end.set()
        assert [answer.result().status_code for answer in waiting] == [200, 200]
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert ask("year").status_code == 200


def test_a_digest_needs_a_whole_pull(filled):
    client = filled.client("province")
    midway = client.get("/aggregates", params={"limit": 3}).json()["cursor"]
    for query, kind in (
        ({"at": midway}, "cursor-midway"),
        ({"at": "x"}, "bad-cursor"),
        ({"at": midway, "park": "west"}, "cursor-of-other-filters"),
        ({"cursor": midway}, "invalid-request"),
        ({"revisions": "all"}, "invalid-request"),
    ):
        answer = client.get("/aggregates/digest", params=query)
        assert answer.json()["type"].rpartition(":")[2] == kind, query
        assert 400 <= answer.status_code < 500


# --- whose ---


def test_nobody_sees_a_row_of_another_park(filled):
    client = filled.client("westerner")
    assert {row["park"] for row in client.get("/aggregates").json()["rows"]} == {"west"}
    assert {row["park"] for row in client.get("/aggregates", params={"revisions": "all"}).json()["rows"]} == {"west"}
    own = client.get("/aggregates/digest").json()
    assert own["sha256"] == filled.client("chief").get("/aggregates/digest", params={"park": "west"}).json()["sha256"]
    identities = client.get("/aggregates/identities").json()
    assert [park["code"] for park in identities["parks"]] == ["west"]
    assert {one["park"] for one in identities["enterprises"]} == {"west"}


@pytest.mark.parametrize("path", ["/aggregates", "/aggregates/digest", "/aggregates/identities", "/submissions"])
def test_a_park_of_others_is_as_unknown_as_none(filled, path):
    client = filled.client("westerner")
    others, none = (client.get(path, params={"park": code}) for code in ("east", "nope"))
    assert others.status_code == none.status_code == 404
    assert others.text.replace("east", "nope") == none.text
    assert others.headers.keys() == none.headers.keys()


def test_what_happens_in_other_parks_shows_in_no_answer(provider):
    park, other = provider.park(), provider.park()
    provider.publish(number(park, 1.0, day(1)), number(park, 5.0, day(1), grain="month"))
    client = provider.client(park)
    cursor = client.get("/aggregates").json()["cursor"]
    asked = [
        ("/aggregates", {}),
        ("/aggregates", {"cursor": cursor}),
        ("/aggregates/digest", {}),
        ("/aggregates/identities", {}),
        (
            "/aggregates/totals",
            {"indicator": ENERGY, "grain": "month", "from": day(1).isoformat(), "to": day(2).isoformat()},
        ),
        ("/submissions", {}),
    ]

    def told():
        found = []
        for path, query in asked:
            answer = client.get(path, params=query)
            assert answer.status_code == 200, answer.text
            found.append((answer.json(), answer.headers.get("etag"), answer.headers.get("smartpark-rows")))
        return found

    before = told()
    tag = client.get("/aggregates", params={"cursor": cursor}).headers["etag"]
    provider.publish(*(number(other, float(n), day(n)) for n in range(1, 20)))
    provider.publish(number(other, 6.0, day(1), grain="month"))
    sealed = provider.client("chief").post(
        "/submissions", json={"park": other, "period": "2026-10", "accept_incomplete": True}
    )
    assert sealed.status_code == 201, sealed.text
    assert told() == before
    unchanged = client.get("/aggregates", params={"cursor": cursor}, headers={"if-none-match": tag})
    assert unchanged.status_code == 304


def test_whoever_has_no_right_to_aggregates_gets_none(filled):
    filled.add("desk", Grant(Role.UTILITY_MANAGER, "west"))
    client = filled.client("desk")
    for path in ("/aggregates", "/aggregates/digest", "/aggregates/identities", "/aggregates/fields", "/submissions"):
        assert client.get(path).status_code == 403
    nobody = filled.client("westerner", authorization="Bearer spk_none")
    assert nobody.get("/aggregates").status_code == 401


def test_reads_are_written_down(provider):
    park = provider.park()
    provider.publish(number(park, 1.0, day(1)), number(park, 2.0, day(2)))
    client = provider.client(park)
    tag = client.get("/aggregates", params={"park": park}).headers["etag"]
    client.get("/aggregates", params={"park": park}, headers={"if-none-match": tag})
    client.get("/aggregates", params={"park": "east"})
    with connect(provider.dsn, application="test") as connection:
        lines = read_audit(connection, AuditFilter(principal=f"client:{park}"), limit=50)
    told = [(line.action, line.status, line.park, line.rows) for line in lines]
    assert told == [("pullAggregates", 404, None, None), ("pullAggregates", 200, park, 2)]
    assert all("spk_" not in str(line) for line in lines)


# --- the rest ---


def test_fields_are_those_of_the_rows(filled):
    told = filled.client("province").get("/aggregates/fields").json()
    assert [one["name"] for one in told["fields"]] == JSON_NAMES
    energy = next(one for one in told["indicators"] if one["code"] == ENERGY)
    assert energy == {
        "code": ENERGY,
        "unit": "kWh",
        "accumulation": "sum",
        "zh": "用电量",
        "en": "electricity consumption",
    }


def test_identities_are_told_with_a_tag(filled):
    client = filled.client("province")
    answer = client.get("/aggregates/identities", params={"park": ["west", "far"]})
    told = answer.json()
    assert [(park["code"], park["region"], park["name"]) for park in told["parks"]] == [
        ("far", "350583", "far园区"),
        ("west", "350121", "west园区"),
    ]
    assert next(one["uscc"] for one in told["enterprises"] if one["park"] == "west").startswith("91350121MA0000")
    again = client.get(
        "/aggregates/identities",
        params={"park": ["west", "far"]},
        headers={"if-none-match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_totals_over_parks(provider):
    month, span = day(1), {"from": day(1, 9).isoformat(), "to": day(1, 12).isoformat()}
    one, two, three = sorted([provider.park(), provider.park(), provider.park(region="350583")])
    provider.add("summer", *(Grant(Role.PROVINCE, park) for park in (one, two, three)))
    provider.publish(
        number(one, 10.0, month, grain="month", completeness=0.5),
        number(two, 0.1, month, grain="month"),
        number(one, 0.5, month, indicator=RATIO, grain="month", parts=(1.0, 2.0)),
        number(two, 3.0, month, indicator=RATIO, grain="month", parts=(6.0, 2.0)),
        *(number(one, 10.0, month, grain="month", boundary=f"enterprise/T0{n}") for n in (1, 2)),
    )
    client = provider.client("summer")

    def totals(**wanted):
        answer = client.get("/aggregates/totals", params={"grain": "month", **span, **wanted})
        assert answer.status_code == 200, answer.text
        return answer.json()

    told = totals(indicator=ENERGY)
    assert (told["members"], told["unit"]) == (3, "kWh")
    september, october, november = told["totals"]
    assert october["value"] == 0.1 + 10.0
    assert october["missing"] == [{"park": three, "boundary": "park"}]
    assert october["completeness"] == (1.0 + 0.5) / 3
    assert (september["value"], september["known"], november["value"]) == (None, 0, None)
    assert "nobody" in september["reason"]

    city = totals(indicator=RATIO, region="350100")["totals"][1]
    assert (city["numerator"], city["denominator"], city["value"], city["missing"]) == (7.0, 4.0, 7 / 4, [])
    assert totals(indicator=ENERGY, region="3505")["members"] == 1
    assert totals(indicator=ENERGY, region="36")["members"] == 0

    secret = totals(indicator=ENERGY, boundary="enterprise")["totals"][1]
    assert (secret["value"], secret["known"]) == (None, 2)
    assert secret["reason"].startswith("secrecy of statistics (statistics-secrecy:1): 2 members")
    mine = provider.client(one).get("/aggregates/totals", params={"grain": "month", **span, "indicator": ENERGY})
    assert mine.json()["members"] == 1
    assert mine.json()["totals"][1]["value"] == 10.0


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"indicator": "maximum_demand"}, "total-refused"),
        ({"indicator": "load_factor"}, "total-refused"),
        ({"indicator": "heat"}, "invalid-request"),
        ({"region": "350"}, "invalid-request"),
        ({"boundary": "device"}, "invalid-request"),
        ({"grain": "hour", "from": "1990-01-01T00:00:00Z", "to": "2199-01-01T00:00:00Z"}, "range-too-wide"),
        ({"to": "2026-09-01T00:00:00Z"}, "invalid-request"),
    ],
)
def test_totals_that_make_no_sense_are_refused(filled, wanted, kind):
    asked = {"indicator": ENERGY, "grain": "month", "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    answer = filled.client("province").get("/aggregates/totals", params=asked | wanted)
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:smartpark:problem:{kind}"), answer.text


def test_numbers_that_were_committed_and_not_numbered_yet_are_not_lost(provider):
    """A writer that died between its commit and the numbering."""
    park = provider.park()
    with connect(provider.dsn, application="test") as connection:
        publish_indicators(connection, [number(park, 4.0, day(4))])
        connection.commit()
    answer = provider.client(park).get("/aggregates")
    assert [row["value"] for row in answer.json()["rows"]] == [4.0]
