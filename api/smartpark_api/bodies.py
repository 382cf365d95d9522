"""Bodies are held to their description: JSON of exactly the types that the OpenAPI document says.

The framework reads `"5"` where a number is described and `1` where a truth is; whoever sends that has made a mistake,
and the next version of anything may read it otherwise. Queries and headers are text by nature and are not looked at.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError


async def body_as_described(request: Request) -> None:
    """Refuse a body that only a lenient reader would understand; a dependency of every route that takes JSON."""
    route = request.scope.get("route")
    field = route.body_field if isinstance(route, APIRoute) else None
    if field is None or isinstance(field.field_info, params.Form):
        return
    body = await request.body()
    if not body.strip():
        return
    try:
        _adapter(field.field_info.annotation).validate_json(body, strict=True)
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False) if not _is_whole(one)]
        if found:
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in found]) from None


def _is_whole(finding: Mapping[str, Any]) -> bool:
    """Whether it is about a whole number that was written with a point: to JSON Schema that is one, too."""
    given = finding["input"]
    return finding["type"] == "int_type" and isinstance(given, float) and given.is_integer()


@lru_cache(maxsize=256)
def _adapter(described: Any) -> TypeAdapter[Any]:
    return TypeAdapter(described)
