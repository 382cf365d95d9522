"""The OpenAPI document: the framework's, completed by what it cannot know.

The framework describes routes and models. Here come the shape of problems, the answers every operation may give, how
to prove who asks, and what is retired; and the schemas are made to say no less than what is taken: a header is never
null, and the field by which a body is told apart from others has to be there.
"""

from typing import Any, Final

from fastapi import FastAPI

from smartpark_api.openapi.access import describe_access
from smartpark_api.openapi.answers import RULES, complete_answers, header_components, response_components
from smartpark_api.openapi.examples import give_examples
from smartpark_api.openapi.operations import operations
from smartpark_api.openapi.retirement import check_notices, describe_retirement, retirements_of
from smartpark_api.problems import Problem

_DOCUMENTED: Final = ("title", "description", "examples", "default", "deprecated")
"""Keywords that stand beside alternatives and belong to the whole."""


def describe(app: FastAPI, *, prefix: str) -> None:
    """Let an app answer with the completed document; `prefix` begins the addresses of programs."""
    check_notices(app)
    inherited = app.openapi
    kept: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not kept:
            kept.append(_completed(inherited(), app, prefix=prefix))
        return kept[0]

    app.openapi = openapi


def _completed(document: dict[str, Any], app: FastAPI, *, prefix: str) -> dict[str, Any]:
    document["servers"] = [{"url": "/", "description": "The server that gave this description."}]
    components = document["components"]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    components["schemas"] = dict(sorted((components["schemas"] | parts | {Problem.__name__: schema}).items()))
    components["headers"] = header_components()
    components["responses"] = response_components()
    _require_discriminators(components["schemas"])
    describe_access(document, app)
    retired = retirements_of(app)
    for operation in operations(document):
        for parameter in operation.content.get("parameters", ()):
            parameter["schema"] = _never_null(parameter["schema"])
        complete_answers(operation, RULES if operation.path.startswith(prefix) else ())
        give_examples(operation)
        if (retirement := retired.get((operation.method, operation.path))) is not None:
            describe_retirement(operation, retirement, components["responses"])
    return document


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Schema of a parameter without the null that stands for its absence: text on the wire is never null."""
    alternatives = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if not schema.get("anyOf"):
        return schema
    around = {key: value for key, value in schema.items() if key in _DOCUMENTED and value is not None}
    return (alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}) | around


def _require_discriminators(schemas: dict[str, Any]) -> None:
    """Say that the field which tells alternatives apart has to be there, though each alternative has a default."""
    for discriminator in _discriminators(schemas):
        name = discriminator["propertyName"]
        for reference in discriminator.get("mapping", {}).values():
            schema = schemas[reference.rpartition("/")[2]]
            required = schema.get("required", [])
            schema["required"] = required if name in required else [name, *required]


def _discriminators(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for one in node for found in _discriminators(one)]
    if not isinstance(node, dict):
        return []
    own = [node["discriminator"]] if isinstance(node.get("discriminator"), dict) else []
    return own + [found for one in node.values() for found in _discriminators(one)]
