"""Business figures over HTTP: recorded whole or not at all, with who entered them, and only on one's own machine."""

from typing import Any

import httpx
import pytest
from fix_api import NOON
from smartpark_api.problems import ProblemKind
from smartpark_storage import connect
from smartpark_storage.figures import claim_stale_ratios

URL = "/api/v1/parks/testpark/figures"
TAX = {"kind": "tax", "period": "2026-05", "value": 12.5, "source_document": "book"}


def body(*figures: dict[str, Any], by: str = "Chen") -> dict[str, Any]:
    return {"entered_by": by, "figures": list(figures)}


def test_a_figure_is_recorded_corrected_and_withdrawn_with_its_history(client: httpx.Client):
    assert client.post(URL, json=body(TAX)).json() == {
        "park": "testpark",
        "added": 1,
        "corrected": 0,
        "withdrawn": 0,
        "unchanged": 0,
    }
    assert client.post(URL, json=body(TAX, by="Lin")).json()["unchanged"] == 1
    assert client.post(URL, json=body(TAX | {"value": 13}, by="Lin")).json()["corrected"] == 1
    (figure,) = client.get(URL).json()["figures"]
    assert (figure["value"], figure["unit"], figure["entered_by"], figure["revision"]) == (13.0, "万元", "Lin", 2)
    assert client.post(URL, json=body(TAX | {"value": None})).json()["withdrawn"] == 1
    assert client.get(URL).json()["figures"] == []
    history = client.get(URL, params={"history": True, "kind": "tax", "year": 2026}).json()["figures"]
    assert [(one["value"], one["entered_by"]) for one in history] == [(12.5, "Chen"), (13.0, "Lin"), (None, "Chen")]
    assert history[0]["superseded_at"] == history[1]["recorded_at"] == "2026-11-22T12:00:00+08:00"


def test_what_is_entered_marks_its_months_for_derive(plain_client: httpx.Client, plain_hand: Any):
    plain_client.post(URL, json=body(TAX))
    with connect(plain_hand.dsn, application="test") as connection:
        assert list(claim_stale_ratios(connection, limit=10)) == ["testpark"]


def test_one_wrong_figure_and_nothing_is_recorded(plain_client: httpx.Client):
    answer = plain_client.post(
        URL,
        json=body(
            TAX,
            TAX | {"kind": "output"},
            TAX | {"period": "2026-13"},
            TAX | {"entity": "enterprise/T9"},
            TAX,
            TAX | {"period": "2026-06", "unit": "t"},
        ),
    )
    assert answer.status_code == 422
    assert {error["location"]: error["message"][:40] for error in answer.json()["errors"]} == {
        "body.figures.1.price_basis": "output needs current or constant-YEAR",
        "body.figures.2.period": "'2026-13' is not a period: write a month",
        "body.figures.3.entity": "park testpark has no 'enterprise/T9'; it",
        "body.figures.4": "the same figure as body.figures.0",
        "body.figures.5.unit": "tax is entered in 万元, not in t: convert ",
    }
    assert plain_client.get(URL, params={"history": True}).json()["figures"] == []


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ({"figures": [TAX]}, "body.entered_by"),
        (body(TAX, by=" "), "body.entered_by"),
        (body(), "body.figures"),
        (body(TAX | {"colour": "red"}), "body.figures.0.colour"),
    ],
)
def test_a_body_that_is_not_understood_names_what_is_wrong(
    plain_client: httpx.Client, given: dict[str, Any], location: str
):
    answer = plain_client.post(URL, json=given)
    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]


def test_only_json_is_taken(plain_client: httpx.Client):
    # What a form of another site could send without asking first.
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = plain_client.post(
            URL, content=httpx.Request("POST", "http://x", json=body(TAX)).content, headers={"content-type": kind}
        )
        assert answer.status_code == 422
    assert plain_client.get(URL).json()["figures"] == []


def test_where_access_is_enforced_nobody_enters_or_reads_figures(plain_hand: Any, client_of: Any):
    client = client_of(plain_hand.dsn, now=NOON, host_names=None, access="enforced")
    answer = client.post(URL, json=body(TAX))
    assert (answer.status_code, answer.json()["type"]) == (401, ProblemKind.NOT_LOGGED_IN.uri)
    assert client.get(URL).status_code == 401


def test_a_park_that_is_not_there_is_a_problem(plain_client: httpx.Client):
    assert plain_client.get("/api/v1/parks/none/figures").status_code == 404
    assert plain_client.post("/api/v1/parks/none/figures", json=body(TAX)).status_code == 404
