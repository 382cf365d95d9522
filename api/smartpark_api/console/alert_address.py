"""The address of the alert inbox: which alerts, on which tab. All of it stands in the query, to be sent on.

What is left empty is not asked; a value nobody knows is refused, not ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError
from smartpark.alerts.words import AlertState
from smartpark_storage.alerts import AlertFilter

from smartpark_api.alerts.listing import AlertQuery
from smartpark_api.problems import ProblemError, ProblemKind

PATH: Final = "/alerts"
_FIELDS: Final = ("park", "severity", "cause", "rule", "object", "device", "group", "assignee", "label", "text")
_MOST_PAGE: Final = 10_000


class Tab(StrEnum):
    """What of the alerts is shown."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    HIDDEN = "hidden"
    PENDING = "pending"
    RESOLVED = "resolved"

    def of(self, wanted: AlertFilter) -> AlertFilter:
        """The same alerts as far as they stand on this tab."""
        match self:
            case Tab.PENDING:
                return replace(wanted, states=(AlertState.PENDING,))
            case Tab.RESOLVED:
                return replace(wanted, states=(AlertState.RESOLVED,))
            case Tab.HIDDEN:
                return replace(wanted, states=(AlertState.FIRING,), is_hidden=True)
            case _:
                is_taken = self is Tab.ACKNOWLEDGED
                return replace(wanted, states=(AlertState.FIRING,), is_hidden=False, is_acknowledged=is_taken)


@dataclass(frozen=True, slots=True)
class InboxAddress:
    """A query of the inbox, understood."""

    asked: Mapping[str, str]
    """Filters as they stand in the address."""
    filter: AlertFilter
    tab: Tab = Tab.FIRING
    page: int = 1

    @property
    def query(self) -> str:
        """The query without what only turns pages."""
        return self.to(page="").partition("?")[2]

    def to(self, **changes: str) -> str:
        """Address with something changed; an empty value takes it out.

        Examples
        --------
        >>> inbox_address("severity=critical&page=3").to(tab="resolved", page="")
        '/alerts?severity=critical&tab=resolved'
        """
        pairs = {**self.asked, "tab": self.tab.value, "page": str(self.page), **changes}
        usual = {"tab": Tab.FIRING.value, "page": "1"}
        kept = {name: value for name, value in pairs.items() if value and usual.get(name) != value}
        return PATH + (f"?{urlencode(kept)}" if kept else "")


def inbox_address(query: str) -> InboxAddress:
    """Understand a query; `ProblemError` for what cannot be."""
    pairs = {name: value.strip() for name, value in parse_qsl(query) if value.strip()}
    asked = {name: pairs[name] for name in _FIELDS if name in pairs}
    try:
        wanted = AlertQuery.model_validate(asked)
        tab, page = Tab(pairs.get("tab", Tab.FIRING)), int(pairs.get("page", "1"))
    except ValidationError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, "; ".join(map(_told, error.errors()))) from None
    except ValueError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
    return InboxAddress(asked, wanted.filter, tab, min(max(page, 1), _MOST_PAGE))


def _told(finding: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, finding['loc']))}: {finding['msg']}"
