"""How whoever asks proves who they are, in the words of OpenAPI: keys, tokens, and the scope each operation asks for.

People log in to the pages with OpenID Connect and a cookie; that is no way in for programs, and is not told here.
"""

import re
from typing import Any, Final

from fastapi import FastAPI
from smartpark.access import Scope

from smartpark_api.access.declared import Declaration, declared_routes
from smartpark_api.access.needs import OpenToAll, Somebody
from smartpark_api.openapi.operations import operations
from smartpark_api.settings import AccessMode, ApiSettings

KEY: Final = "apiKey"
TOKEN: Final = "clientCredentials"  # noqa: S105  the name of a way, not a secret
TOKEN_URL: Final = "/oauth/token"  # noqa: S105  an address
_CONVERTOR: Final = re.compile(r":\w+}")
"""How the framework writes that a parameter may hold slashes; the description does not tell it."""
_WHAT_FOR: Final[dict[Scope, str]] = {
    Scope.PARKS_READ: "see which parks there are",
    Scope.READINGS_READ: "read points, readings, power, bills and forecasts",
    Scope.INDICATORS_READ: "read published numbers and what is behind them",
    Scope.FIGURES_READ: "read business figures",
    Scope.FIGURES_WRITE: "enter business figures",
    Scope.AGGREGATES_READ: "pull aggregates and submissions",
    Scope.SUBMISSIONS_SEAL: "seal a period as submitted",
    Scope.REQUESTS_READ: "read load requests",
    Scope.REQUESTS_WRITE: "work on load requests",
    Scope.PEOPLE_READ: "read who works at the desk",
    Scope.PEOPLE_WRITE: "say who works at the desk",
    Scope.OPERATIONS_READ: "read edge agents and dead letters",
    Scope.ALERTS_READ: "read alerts, their evidence, rules and silences",
    Scope.ALERTS_WRITE: "deal with alerts: acknowledge, assign, resolve, silence",
    Scope.ALERT_RULES_WRITE: "write rules of alerts",
    Scope.PLATFORM_ALERTS_WRITE: "tell what is wrong with the platform itself",
    Scope.ACCESS_MANAGE: "decide who has access",
    Scope.AUDIT_READ: "read the audit log",
}


def describe_access(document: dict[str, Any], app: FastAPI) -> None:
    """Tell the ways to prove who asks, and which scope each operation asks for.

    A server that trusts its machine asks nobody; there proving is told as something that may be left out.
    """
    settings: ApiSettings = app.state.settings
    document["components"]["securitySchemes"] = _schemes()
    asked = {(one.method.lower(), _CONVERTOR.sub("}", one.path)): one.declaration for one in declared_routes(app)}
    may_be_left_out = settings.access is not AccessMode.ENFORCED
    for operation in operations(document):
        operation.content["security"] = _requirements(
            asked[operation.method, operation.path], may_be_left_out=may_be_left_out
        )


def _requirements(declaration: Declaration, *, may_be_left_out: bool) -> list[dict[str, list[str]]]:
    if isinstance(declaration, OpenToAll):
        return []
    scopes = [] if isinstance(declaration, Somebody) else [str(declaration.scope)]
    proofs: list[dict[str, list[str]]] = [{KEY: []}, {TOKEN: scopes}]
    return [*proofs, {}] if may_be_left_out else proofs


def _schemes() -> dict[str, Any]:
    return {
        KEY: {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key or an access token: `Authorization: Bearer …`.",
        },
        TOKEN: {
            "type": "oauth2",
            "description": "Access tokens for programs that have a client secret (RFC 6749, 4.4).",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": TOKEN_URL,
                    "scopes": {str(scope): _WHAT_FOR[scope] for scope in Scope},
                }
            },
        },
    }
