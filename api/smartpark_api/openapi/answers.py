"""What every answer of the API may be besides what its route says: problems by status, and headers.

Routes declare what is theirs alone; what follows from how an operation looks (it takes a body, it is about a version,
it asks for rights) follows from the rules here, so that no route can forget it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from smartpark_api.openapi.operations import Operation
from smartpark_api.problems import MEDIA_TYPE, Problem

_CALENDAR: Final = frozenset({"planning", "load requests", "people"})
"""Parts that reckon with working days, which may end with the years that are known."""

HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "Content-Disposition": ("Name under which to save it.", {"type": "string"}),
    "Deprecation": (
        "Since when the address should no longer be used, as `@` and seconds since 1970 (RFC 9745).",
        {"type": "string", "pattern": r"^@[0-9]+$", "examples": ["@1830268800"]},
    ),
    "ETag": ("Version of what is shown, for `If-Match` or `If-None-Match`.", {"type": "string", "examples": ['"7"']}),
    "Idempotency-Replayed": (
        "`true`: the write had been made before under this key, and this is its answer of then.",
        {"type": "string", "enum": ["true"]},
    ),
    "Link": (
        'Where to go on, `rel="next"`; or what to use instead, `rel="successor-version"` (RFC 8288, RFC 5829).',
        {"type": "string"},
    ),
    "Location": ("Address of what was made.", {"type": "string"}),
    "RateLimit": (
        "What is left of the quota, and in how many seconds it is whole again.",
        {"type": "string", "examples": ['"requests";r=1187;t=42']},
    ),
    "RateLimit-Policy": (
        "How much may be asked in a minute.",
        {"type": "string", "examples": ['"requests";q=1200;w=60']},
    ),
    "Repr-Digest": (
        "SHA-256 of the body as it is sent (RFC 9530); absent where it is compressed.",
        {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    ),
    "Retry-After": ("Seconds to wait before asking again.", {"type": "integer", "minimum": 0}),
    "Smartpark-Cursor": ("Where the next pull goes on: `cursor` of the JSON form.", {"type": "string"}),
    "Smartpark-Instance": ("Which history this is.", {"type": "string", "format": "uuid"}),
    "Smartpark-More": (
        "Whether there may be more behind the cursor right now.",
        {"type": "string", "enum": ["true", "false"]},
    ),
    "Smartpark-Rows": ("Rows in the body.", {"type": "integer", "minimum": 0}),
    "Sunset": (
        "When the address stops to answer (RFC 8594).",
        {"type": "string", "examples": ["Mon, 01 Jan 2029 00:00:00 GMT"]},
    ),
    "Unencoded-Digest": (
        "SHA-256 of the body before it was compressed.",
        {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    ),
    "WWW-Authenticate": (
        "What would be believed (RFC 6750).",
        {"type": "string", "examples": ['Bearer realm="smartpark"']},
    ),
    "X-Request-Id": ("Under which the server's log knows this request.", {"type": "string"}),
}
"""Every header that is promised anywhere, by name."""
BYTES: Final = {"type": "string", "format": "binary"}
"""Schema of a file."""
_QUOTA: Final = ("RateLimit", "RateLimit-Policy")


@dataclass(frozen=True, slots=True)
class Rule:
    """A problem that operations of some look may answer with."""

    status: int
    description: str
    is_of: Callable[[Operation], bool]
    headers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the component."""
        return f"Problem{self.status}"

    @property
    def declared(self) -> dict[str, Any]:
        """What a route says that says no more than the rule."""
        return {"description": self.description}

    @property
    def response(self) -> dict[str, Any]:
        """The component."""
        answer = {**self.declared, "content": problem_content()}
        _promise(answer, "X-Request-Id", *self.headers)
        return answer


def _always(_: Operation) -> bool:
    return True


def _has_body(operation: Operation) -> bool:
    return bool(operation.body_types)


def _asks_for_rights(operation: Operation) -> bool:
    return operation.content.get("security") != []


_NOT_AS_DESCRIBED: Final = "The request is not as described, breaks a rule, or its answer would be too long."
RULES: Final = (
    Rule(400, "The body cannot be read at all.", _has_body),
    Rule(401, "Nobody has proved to ask; or what was shown does not hold.", _asks_for_rights, ("WWW-Authenticate",)),
    Rule(403, "Whoever asks may not do this; or somebody has to say who acts.", _asks_for_rights),
    Rule(404, "Nothing of that name, or nothing that whoever asks may see.", _always),
    Rule(406, "`Accept` allows none of the forms that can be given.", lambda one: _forms(one) > 1),
    Rule(
        409,
        "It does not go together with what is on record, or with what happened meanwhile.",
        lambda one: one.is_write,
    ),
    Rule(413, "The body, or the document in it, is too large.", _has_body),
    Rule(422, _NOT_AS_DESCRIBED, _always),
    Rule(428, "Say which version has been seen.", lambda one: "If-Match" in one.headers),
    Rule(429, "Too many requests.", _always, ("Retry-After", *_QUOTA)),
    Rule(500, "Our fault; the problem has an incident number.", _always),
    Rule(
        501,
        "This server is not set up for that, or knows no working days of that year.",
        lambda one: bool(one.tags & _CALENDAR),
    ),
    Rule(503, "The database cannot be reached, or took too long.", _always, ("Retry-After",)),
)


DECLARED: Final[dict[int | str, dict[str, Any]]] = {422: {"description": _NOT_AS_DESCRIBED}}
"""For routers of the API: else the framework would tell of a shape of its own."""


def complete_answers(operation: Operation, rules: Sequence[Rule]) -> None:
    """Add the problems that an operation may answer with, the shape of those it declared, and the headers."""
    responses: dict[str, Any] = operation.content["responses"]
    for rule in rules:
        if rule.is_of(operation) and responses.get(str(rule.status), rule.declared) == rule.declared:
            responses[str(rule.status)] = {"$ref": f"#/components/responses/{rule.name}"}
    for status, answer in responses.items():
        if status >= "4" and "$ref" not in answer:
            answer.setdefault("content", problem_content())
            _promise(answer, "X-Request-Id")
    for answer in operation.successes.values():
        _promise(answer, "X-Request-Id", *_QUOTA)
        if "Idempotency-Key" in operation.headers:
            _promise(answer, "Idempotency-Replayed")
        if "If-Match" in operation.headers:
            _promise(answer, "ETag")
    operation.content["responses"] = dict(sorted(responses.items()))


def response_components() -> dict[str, Any]:
    """Every problem that follows from a rule, as the document's components hold them."""
    return {rule.name: rule.response for rule in RULES}


def problem_content() -> dict[str, Any]:
    """Content of an answer that is a problem."""
    return {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}


def headers(*names: str) -> dict[str, Any]:
    """Headers that a route promises of an answer, for its `responses`."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def header_components() -> dict[str, Any]:
    """Every header, as the document's components hold them."""
    return {name: {"description": words, "schema": schema} for name, (words, schema) in HEADERS.items()}


def _promise(answer: dict[str, Any], *names: str) -> None:
    if names:
        answer["headers"] = answer.get("headers", {}) | headers(*names)


def _forms(operation: Operation) -> int:
    return max((len(answer.get("content", ())) for answer in operation.successes.values()), default=0)
