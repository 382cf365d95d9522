"""Which of two forms a client wants: JSON or CSV, by its Accept header (RFC 9110, 12.5.1)."""

from collections.abc import Sequence
from typing import Final

from smartpark_api.problems import ProblemError, ProblemKind

JSON: Final = "application/json"
CSV: Final = "text/csv"


def chosen_type(accept: str, offered: Sequence[str] = (JSON, CSV)) -> str:
    """Offered media type the client likes best, the first of them where it does not care.

    Examples
    --------
    >>> chosen_type("text/csv"), chosen_type("*/*"), chosen_type("text/csv;q=0.5, application/json")
    ('text/csv', 'application/json', 'application/json')
    """
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    best = max(offered, key=lambda one: _liking(one, ranges))
    if _liking(best, ranges) <= 0:
        raise ProblemError(
            ProblemKind.NOT_ACCEPTABLE, f"Accept: {accept} allows none of what can be given: {', '.join(offered)}"
        )
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name.lower(), float(parameter[2:])
            except ValueError:
                return name.lower(), 0.0
    return name.lower(), 1.0


def _liking(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Quality of the most specific range that matches."""
    family = media_type.partition("/")[0] + "/*"
    for name in (media_type, family, "*/*"):
        for given, quality in ranges:
            if given == name:
                return quality
    return 0.0
