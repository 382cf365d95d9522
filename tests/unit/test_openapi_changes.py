"""What a change of the description does to those who use the API: each kind of difference, once for either side."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.cli import main
from smartpark_api.openapi import keeping
from smartpark_api.openapi.changes import changes
from smartpark_api.openapi.keeping import kept_text, read_kept, told_document

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "openapi.json"


def an_api():
    park = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "maxLength": 10},
            "area": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]},
            "kind": {"type": "string", "enum": ["park", "sub_park"]},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Park"}},
        },
        "required": ["code"],
        "additionalProperties": False,
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Park"}}}
    get = {
        "operationId": "getPark",
        "security": [{"key": []}, {"token": ["parks:read"]}],
        "parameters": [
            {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "depth", "in": "query", "schema": {"type": "integer", "maximum": 5, "default": 1}},
        ],
        "responses": {
            "200": {"description": "so", "content": content, "headers": {"ETag": {}}},
            "404": {"$ref": "#/components/responses/Missing"},
        },
    }
    put = {
        "operationId": "putPark",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "so", "content": content}},
    }
    components = {"schemas": {"Park": park}, "responses": {"Missing": {"description": "none"}}}
    return {"paths": {"/parks/{code}": {"get": get, "put": put}}, "components": components}


def set_at(document, path, value):
    *steps, last = path
    for step in steps:
        document = document[step]
    if value is None:
        del document[last]
    else:
        document[last] = value


GET = ("paths", "/parks/{code}", "get")
PUT = ("paths", "/parks/{code}", "put")
PARK = ("components", "schemas", "Park")
AREA = (*PARK, "properties", "area", "anyOf")
SECURITY = (*GET, "security")
BREAKING = [
    ((*GET,), None, "GET /parks/{code}: is gone"),
    ((*GET, "operationId"), "readPark", "is called readPark"),
    ((*GET, "parameters", 1), None, "query depth: is taken no longer"),
    ((*GET, "parameters", 1, "required"), True, "query depth: is required now"),
    ((*GET, "parameters", 1, "schema", "maximum"), 3, "query depth: maximum 3, no longer 5"),
    ((*GET, "parameters", 1, "schema", "type"), "boolean", "query depth: type boolean"),
    ((*GET, "parameters", 1, "schema", "default"), 2, "means something else when it is left out"),
    ((*GET, "parameters", 1, "schema", "pattern"), "^1$", "pattern: '^1$', no longer None"),
    ((*GET, "parameters", 1, "explode"), False, "is written otherwise"),
    ((*GET, "responses", "200"), None, "200: is answered no longer"),
    ((*GET, "responses", "202"), {"description": "later"}, "202: may be answered"),
    ((*GET, "responses", "200", "headers", "ETag"), None, "header ETag: is gone"),
    ((*GET, "responses", "200", "content", "application/json"), None, "application/json is given no longer"),
    ((*PUT, "requestBody", "content", "application/json"), None, "application/json is taken no longer"),
    ((*PUT, "requestBody"), None, "body: is gone"),
    ((*SECURITY, 1, "token"), ["parks:write"], "asks for other rights"),
    ((*SECURITY, 0), None, "asks for other rights"),
    ((*PUT, "security"), [{"key": []}], "asks for other rights"),
    ((*PARK, "properties", "code"), None, ".code: is gone"),
    ((*PARK, "properties", "kind", "enum"), ["park"], "without 'sub_park'"),
    ((*PARK, "properties", "kind", "enum"), ["park", "sub_park", "zone"], "also 'zone'"),
    ((*PARK, "properties", "kind", "enum"), None, "is a closed list no longer"),
    ((*PARK, "properties", "code", "maxLength"), 20, "maxLength 20"),
    ((*PARK, "properties", "code", "maxLength"), 5, "maxLength 5"),
    ((*PARK, "required"), ["code", "area"], ".area: is required now"),
    ((*PARK, "required"), None, ".code: may be left out"),
    ((*AREA, 1), None, "null is not among the alternatives any more"),
    ((*AREA, 0, "minimum"), 1, "minimum 1, no longer 0"),
    ((*AREA, 0, "type"), "integer", "integer is a new alternative"),
    ((*PARK, "properties", "parts", "items"), {"type": "string"}, "type string"),
]
COMPATIBLE = [
    (("paths", "/zones"), {"get": an_api()["paths"]["/parks/{code}"]["put"]}, "GET /zones: is new"),
    ((*GET, "deprecated"), True, "is retired"),
    ((*GET, "parameters", 0, "required"), False, "is no longer required"),
    ((*GET, "parameters", 1, "schema", "maximum"), 9, "maximum 9"),
    ((*GET, "parameters", 1, "schema", "type"), "number", "type integer, number"),
    ((*GET, "responses", "404"), None, "404: is answered no longer"),
    ((*GET, "responses", "409"), {"description": "no"}, "409: may be answered"),
    ((*GET, "responses", "200", "content", "text/csv"), {}, "text/csv is given, too"),
    ((*PUT, "requestBody", "required"), False, "body: is no longer required"),
    ((*SECURITY,), [{"key": []}, {"token": ["parks:read"]}, {}], "asks for fewer rights"),
    ((*PARK, "properties", "name"), {"type": "string"}, ".name: is new"),
    (("info",), {"description": "other words"}, ""),
    ((*PARK, "description"), "other words", ""),
]


@pytest.mark.parametrize(("path", "value", "said"), BREAKING, ids=lambda one: one if isinstance(one, str) else "")
def test_this_breaks_somebody(path, value, said):
    new = an_api()
    set_at(new, path, value)
    told = [str(one) for one in changes(an_api(), new) if one.is_breaking]

    assert any(said in one for one in told), told


@pytest.mark.parametrize(("path", "value", "said"), COMPATIBLE, ids=lambda one: one if isinstance(one, str) else "")
def test_this_breaks_nobody(path, value, said):
    new = an_api()
    set_at(new, path, value)
    found = changes(an_api(), new)

    assert not [str(one) for one in found if one.is_breaking]
    assert any(said in str(one) for one in found) or (not found and not said)


def test_a_parameter_that_has_to_be_there_breaks_and_one_that_may_does_not():
    for required in (True, False):
        new = an_api()
        more = {"name": "lang", "in": "query", "required": required, "schema": {"type": "string"}}
        new["paths"]["/parks/{code}"]["get"]["parameters"].append(more)
        [found] = changes(an_api(), new)
        assert found.is_breaking == required


def test_to_take_null_is_harmless_and_to_give_it_is_not():
    """The same schema is taken by PUT and given by GET; here each has its own."""
    for name, is_breaking in (("put", False), ("get", True)):
        new = an_api()
        both = {"schema": {"anyOf": [{"$ref": "#/components/schemas/Park"}, {"type": "null"}]}}
        operation = new["paths"]["/parks/{code}"][name]
        holder = operation["requestBody"] if name == "put" else operation["responses"]["200"]
        holder["content"] = {"application/json": both}
        [found] = changes(an_api(), new)
        assert found.is_breaking == is_breaking, str(found)


@given(st.randoms(use_true_random=False), st.sampled_from([*BREAKING, *COMPATIBLE]))
def test_what_breaks_one_way_is_a_difference_the_other_way_too(random, change):
    path, value, _ = change
    new = an_api()
    set_at(new, path, copy.deepcopy(value))
    shuffled = json.loads(json.dumps(new))
    random.shuffle(shuffled["paths"]["/parks/{code}"].get("get", {}).get("parameters", []))

    assert changes(new, shuffled) == [], "the order of parameters is no difference"
    assert bool(changes(an_api(), new)) == bool(changes(new, an_api()))


@pytest.fixture(scope="module")
def document():
    return told_document()


def test_the_description_that_is_kept_is_that_of_the_api(document):
    found = changes(read_kept(KEPT), document)
    listed = "\n".join(map(str, found))

    assert KEPT.read_text(encoding="utf-8") == kept_text(document), (
        "docs/openapi.json is not up to date. What has changed means, to those who use the API:\n"
        f"{listed or 'nothing, only words'}\n"
        "docs/api-versioning.md says what may break; then: smartpark api describe --write docs/openapi.json"
    )


def test_what_breaks_is_not_kept_by_mistake(document, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(keeping, "told_document", lambda: document)
    file = tmp_path / "openapi.json"
    before = document["paths"] | {"/api/v1/places": document["paths"]["/api/v1/parks"]}
    file.write_text(kept_text(document | {"paths": before}), encoding="utf-8")

    assert main(["api", "describe", "--against", str(file), "--json"]) == 1
    gone = {"effect": "breaking", "where": "GET /api/v1/places", "what": "is gone"}
    assert json.loads(capsys.readouterr().out) == [gone]
    assert main(["api", "describe", "--write", str(file)]) != 0
    assert "GET /api/v1/places: is gone" in capsys.readouterr().err
    assert "/api/v1/places" in file.read_text(encoding="utf-8")
    assert main(["api", "describe", "--write", str(file), "--breaking"]) == 0
    assert "/api/v1/places" not in file.read_text(encoding="utf-8")


def test_schemas_have_names_of_their_own_and_no_address_in_the_program(document):
    for name in document["components"]["schemas"]:
        assert name.isalnum(), f"{name}: two models have one name; call one of them otherwise"
