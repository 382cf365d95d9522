"""What Grafana does to a query before PostgreSQL sees it, as far as our dashboards use it.

Variables of a single value are written in with their quotes doubled and none added; macros are found by
``$name(arguments)``, where arguments cannot contain a closing bracket; a macro that does not exist is an error.
"""

import re
from datetime import UTC, datetime

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$(?!__)(\w+)\b(?!\()")


class UnknownMacroError(ValueError):
    """Grafana would refuse the query."""


def expand(sql: str, *, start: datetime, end: datetime, variables: dict[str, str]) -> str:
    """Return the statement that reaches the database."""
    sql = _VARIABLE.sub(lambda match: variables[match[1]].replace("'", "''"), sql)
    return _MACRO.sub(lambda match: _macro(match[1], match[2], _instant(start), _instant(end)), sql)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _macro(name: str, arguments: str, start: str, end: str) -> str:
    match name:
        case "__timeFilter":
            return f"{arguments.strip()} BETWEEN '{start}' AND '{end}'"
        case "__timeFrom":
            return f"'{start}'"
        case "__timeTo":
            return f"'{end}'"
        case _:
            raise UnknownMacroError(f"unknown macro {name!r}")
