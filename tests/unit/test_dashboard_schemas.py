"""Grafana accepts the dashboards: its JSON schemas, its own models, and its list of units."""

import copy
import importlib
import json
import warnings
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.lint import KINDS, UNITS

SCHEMAS = Path(__file__).resolve().parents[1] / "data" / "grafana"
DOCUMENTS = render_documents()
FILES = {kind: kind.replace("-", "").lower() for kind in KINDS}
FIELD_CONFIG = {"timeseries": "GraphFieldConfig", "trend": "GraphFieldConfig"}


@cache
def schema(name):
    found = json.loads((SCHEMAS / f"{name}.jsonschema.json").read_text(encoding="utf-8"))
    for definition, key in (("MatcherConfig", "options"), ("DynamicConfigValue", "value")):
        if definition in found["definitions"]:
            # Anything at all in Grafana (a column's name, a unit); the export to JSON schema made an object of it.
            found["definitions"][definition]["properties"][key] = {}
    cells = found["definitions"].get("TableCellOptions", {})
    if "oneOf" in cells:
        # Told apart by their type in Grafana; the export lost which type each has, so that several match.
        cells["anyOf"] = cells.pop("oneOf")
    return found


@cache
def validator(name, definition):
    known = schema(name)
    return jsonschema.Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": known["definitions"]})


def problems(document, name, definition):
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator(name, definition).iter_errors(document)
    ]


def panels(document):
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def custom_of(panel):
    """Field options of this kind of panel, in general and for single columns."""
    config = panel["fieldConfig"]
    found = dict(config["defaults"].get("custom", {}))
    for override in config["overrides"]:
        for option in override["properties"]:
            if option["id"].startswith("custom."):
                found[option["id"].removeprefix("custom.")] = option["value"]
    return found


def general_of(panel):
    """Options of single columns that are those of every kind of panel, as one set of field options."""
    return [
        {option["id"]: option["value"]}
        for override in panel["fieldConfig"]["overrides"]
        for option in override["properties"]
        if not option["id"].startswith("custom.")
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_grafanas_schemas_accept_the_dashboard_and_the_options_of_each_panel(name):
    assert problems(DOCUMENTS[name], "dashboard", "Dashboard") == []
    for panel in panels(DOCUMENTS[name]):
        kind = panel["type"]
        assert problems(panel["options"], FILES[kind], "Options") == [], (panel["id"], panel["title"])
        for options in general_of(panel):
            for link in options.pop("links", []):
                # A data link; the schema has those of dashboards here, which Grafana's panels do not read.
                assert set(link) == {"title", "url", "targetBlank"}
            assert problems(options, "dashboard", "FieldConfig") == [], (panel["id"], options)
        definition = FIELD_CONFIG.get(kind, "FieldConfig")
        if definition in schema(FILES[kind])["definitions"]:
            assert problems(custom_of(panel), FILES[kind], definition) == [], (panel["id"], panel["title"])
        else:
            assert custom_of(panel) == {}, (panel["id"], panel["title"])


def lost(ours, theirs, path="", *, ignore=frozenset()):
    """What we wrote and Grafana's models did not keep."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            found
            for key, value in ours.items()
            if key not in ignore
            for found in (
                lost(value, theirs[key], f"{path}.{key}", ignore=ignore) if key in theirs else [f"{path}.{key}"]
            )
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            found for n, (one, other) in enumerate(zip(ours, theirs, strict=True))
            for found in lost(one, other, f"{path}[{n}]", ignore=ignore)
        ]  # fmt: skip
    return [] if ours == theirs else [f"{path}: {ours!r} became {theirs!r}"]


@cache
def models():
    with warnings.catch_warnings():
        # Grafana 11 to 13 all read the classic form, which is ours; the models would rather have the next one.
        warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
        return importlib.import_module("grafana_foundation_sdk.models.dashboard")


def round_trip(document):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
        read = models().Dashboard.from_json(copy.deepcopy(document))
        return json.loads(json.dumps(read, cls=JSONEncoder))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_grafanas_own_models_keep_every_key_and_value(name):
    assert lost(DOCUMENTS[name], round_trip(DOCUMENTS[name])) == []


def first(kind):
    return next(panel for document in DOCUMENTS.values() for panel in document["panels"] if panel["type"] == kind)


def test_the_schemas_would_notice_a_misspelt_option():
    assert problems(first("stat")["options"] | {"colourMode": "value"}, "stat", "Options")
    assert problems(custom_of(first("timeseries")) | {"spanNull": True}, "timeseries", "GraphFieldConfig")


def test_the_models_would_notice_a_misspelt_key():
    document = copy.deepcopy(DOCUMENTS["zh/park-overview.json"])
    document["panels"][0]["discription"] = "x"
    document["refesh"] = "1m"
    assert lost(document, round_trip(document)) == [".refesh", ".panels[0].discription"] or sorted(
        lost(document, round_trip(document))
    ) == [".panels[0].discription", ".refesh"]


def test_our_units_are_grafanas():
    known = {meaning.get("const") for meaning in schema("units")["definitions"].values()}
    assert UNITS - known == set()


def test_every_kind_of_panel_among_ours_has_a_schema_and_is_used():
    used = {panel["type"] for document in DOCUMENTS.values() for panel in document["panels"]}
    assert used <= KINDS
    for kind in used - {"row"}:
        assert "Options" in schema(FILES[kind])["definitions"]
