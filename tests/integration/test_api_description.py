"""The OpenAPI document is valid, tidy and true, and docs/api.md lists what there is."""

import re
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from fix_api import NOON, edge_status
from smartpark.access import Scope
from smartpark.load_requests.events import Details
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import RequestKind, VoltageClass
from smartpark.workdays import builtin_workdays
from smartpark_api.app import create_app
from smartpark_api.load_requests.service import Desk, open_request
from smartpark_api.openapi.examples import EXAMPLES
from smartpark_api.problems import ProblemKind
from smartpark_api.settings import AccessMode, ApiSettings
from smartpark_storage import connect
from smartpark_storage.load_requests import Person, put_person

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def description():
    return create_app(ApiSettings(dsn="postgresql:///none")).openapi()


def operations(description):
    return [(path, operation) for path, methods in description["paths"].items() for operation in methods.values()]


def readable(description):
    """Operations that read, need to be told nothing and answer JSON."""
    for path, methods in description["paths"].items():
        told = [p for p in methods.get("get", {}).get("parameters", []) if p["in"] == "query" and p["required"]]
        if "get" in methods and not told and "application/json" in methods["get"]["responses"]["200"]["content"]:
            yield path, methods["get"]


def response(description, operation, status):
    """An answer of an operation; many have theirs in common."""
    answer = operation["responses"][status]
    return description["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_operations_have_names_tags_and_words(description):
    assert description["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, operation in operations(description)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in description["tags"]}
    for path, operation in operations(description):
        assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"])
        assert set(operation["tags"]) <= tags
        assert operation["description"], path


def test_references_lead_somewhere_and_schemas_are_schemas(description):
    for reference in references(description):
        kind, name = re.fullmatch(r"#/components/(schemas|headers|responses)/([A-Za-z0-9-]+)", reference).groups()
        assert name in description["components"][kind], reference
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_of_the_api_tells_its_problems(description):
    for path, operation in operations(description):
        if not path.startswith("/api/"):
            continue
        asked = {"401", "403"} if operation["security"] else set()
        for status in {"404", "422", "429", "500", "503"} | asked:
            answer = response(description, operation, status)
            assert list(answer["content"]) == ["application/problem+json"], path
            assert "X-Request-Id" in answer["headers"]
        assert "Retry-After" in response(description, operation, "429")["headers"]
        assert "Retry-After" in response(description, operation, "503")["headers"]
        assert not asked or "WWW-Authenticate" in response(description, operation, "401")["headers"]
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_every_operation_says_how_to_prove_who_asks_and_for_which_scope(description):
    schemes = description["components"]["securitySchemes"]
    assert (schemes["apiKey"]["type"], schemes["apiKey"]["scheme"]) == ("http", "bearer")
    flow = schemes["clientCredentials"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/oauth/token"
    assert set(flow["scopes"]) == set(Scope)
    for path, operation in operations(description):
        asked = [one["clientCredentials"] for one in operation["security"] if "clientCredentials" in one]
        assert {scope for scopes in asked for scope in scopes} <= set(Scope), path
    figures = description["paths"]["/api/v1/parks/{code}/figures"]
    assert figures["post"]["security"] == [{"apiKey": []}, {"clientCredentials": ["figures:write"]}, {}]
    enforced = create_app(ApiSettings(dsn="postgresql:///none", access=AccessMode.ENFORCED)).openapi()
    assert enforced["paths"]["/api/v1/parks/{code}/figures"]["post"]["security"] == figures["post"]["security"][:2]
    assert enforced["paths"]["/healthz"]["get"]["security"] == []


def test_what_is_sent_is_described_as_strictly_as_it_is_taken(description):
    for path, operation in operations(description):
        for parameter in operation.get("parameters", ()):
            nulls = [one for one in parameter["schema"].get("anyOf", ()) if one.get("type") == "null"]
            assert not nulls, f"{path}: {parameter['name']} is never null on the wire"
    body = description["components"]["schemas"]["ActIn"]["properties"]["body"]
    for reference in body["discriminator"]["mapping"].values():
        assert "type" in description["components"]["schemas"][reference.rpartition("/")[2]]["required"]


def test_patterns_mean_the_same_to_everybody(description):
    r"""`\s`, `\S` and `\d` are other signs in JavaScript, in Python and in Rust; `.` is, at the end of lines."""
    found = {
        pattern for pattern in patterns(description) if re.search(r"\\[sSdDwWbB]|(?<!\\)\.(?![^\[]*\])", pattern)
    }

    assert found == set()


def patterns(node):
    if isinstance(node, list):
        node = dict(enumerate(node))
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for value in node.values():
            yield from patterns(value)


def test_every_body_has_examples_that_are_as_described(description):
    seen = set()
    for path, operation in operations(description):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None:
            seen.add(operation["operationId"])
            schema = content["schema"] | {"components": description["components"]}
            assert "examples" in content, f"{path} takes a body: smartpark_api/openapi/examples.py"
            for name, example in content["examples"].items():
                found = [one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(example["value"])]
                assert found == [], f"{path}: {name}"
    assert seen == set(EXAMPLES), "and there is none of what is gone"


def a_load_request(dsn):
    with connect(dsn, application="test") as connection:
        put_person(connection, Person("chen", "陈", "Chen", ""))
        desk = Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, "chen")
        details = Details(
            park="testpark",
            applicant="厂",
            kind=RequestKind.NEW_SUPPLY,
            applied_kva=500,
            voltage=VoltageClass.KV10,
            contact_role="engineer",
        )
        code = open_request(desk, details).code
        connection.commit()
    return code


def test_every_write_of_the_desk_says_which_headers_it_takes(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            headers = {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
            if method != "get" and set(operation["tags"]) & {"load requests", "people"}:
                assert "Smartpark-Actor" in headers, path
                assert "Idempotency-Key" in headers or path.rpartition("/")[2] in ("links", "calendars", "test"), path
            if path.endswith("/events") and method == "post":
                assert "If-Match" in headers


def test_answers_are_as_described(plain_client, plain_hand):
    plain_hand.store(("testpark/M0/active_power", NOON, 1.0))
    plain_hand.indicator("carbon_location", NOON - timedelta(hours=4), None, unit="t", grain="hour")
    plain_hand.hear(edge_status("edge-a", at=NOON), at=NOON)
    description = plain_client.get("/api/v1/openapi.json").json()
    park = {"code": "testpark", "key": "testpark/M0/active_power"}
    load_request = {"code": a_load_request(plain_hand.dsn)}

    for path, operation in readable(description):
        if not set(re.findall(r"\{(\w+)\}", path)) <= park.keys():
            continue  # Something has to be submitted or granted first: tests/contract/test_openapi_holds.py.
        content = operation["responses"]["200"]["content"]["application/json"]
        answer = plain_client.get(path.format(**(load_request if "/load-requests/{code}" in path else park)))
        assert answer.status_code == 200, path
        schema = content["schema"] | {"components": description["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_the_documentation_lists_every_address_and_problem(description):
    text = DOCS.read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(GET|POST|PUT|DELETE) (\S+)`", text, re.MULTILINE))

    assert listed == {(method.upper(), path) for path, methods in description["paths"].items() for method in methods}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == {kind.slug for kind in ProblemKind}
