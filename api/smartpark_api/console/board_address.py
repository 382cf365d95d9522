"""The address of the board: which requests, shown how. All of it stands in the query, so that it can be sent on.

What is left empty is not asked. A value nobody knows is refused, not ignored: a list that silently shows more than
was asked for misleads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError
from smartpark.load_requests.words import Stage
from smartpark_storage.load_requests import RequestFilter, RequestOrder

from smartpark_api.load_requests.listing import RequestQuery
from smartpark_api.problems import ProblemError, ProblemKind

PATH: Final = "/requests"
_FIELDS: Final = {info.alias or name: name for name, info in RequestQuery.model_fields.items()}
_SHOWN: Final = ("view", "order", "after", "more")


class BoardView(StrEnum):
    """How requests are laid out."""

    BOARD = "board"
    TABLE = "table"
    TIMELINE = "timeline"


@dataclass(frozen=True, slots=True)
class BoardAddress:
    """A query of the board, understood."""

    asked: Mapping[str, str]
    """Filters as they stand in the address."""
    filter: RequestFilter
    view: BoardView = BoardView.BOARD
    order: RequestOrder = RequestOrder.DUE
    after: str | None = None
    more: frozenset[Stage] = field(default_factory=frozenset[Stage])
    """Columns that show more of their cards."""

    @property
    def query(self) -> str:
        """The query without what only turns pages."""
        pairs = list(self.asked.items())
        if self.view is not BoardView.BOARD:
            pairs.append(("view", self.view.value))
        if self.order is not RequestOrder.DUE:
            pairs.append(("order", self.order.value))
        return urlencode(pairs + [("more", stage.value) for stage in Stage if stage in self.more])

    @property
    def path(self) -> str:
        """Where this is."""
        return PATH + (f"?{self.query}" if self.query else "")

    def to(self, **changes: str) -> str:
        """Address with some filters changed; an empty value takes one out."""
        pairs = {**self.asked, "view": self.view.value, "order": self.order.value, **changes}
        usual = {"view": BoardView.BOARD.value, "order": RequestOrder.DUE.value}
        kept = {name: value for name, value in pairs.items() if value and usual.get(name) != value}
        return PATH + (f"?{urlencode(kept)}" if kept else "")

    def showing(self, stage: Stage) -> str:
        """Address with more of a column."""
        return f"{self.to()}{'&' if '?' in self.to() else '?'}{urlencode([('more', s) for s in {*self.more, stage}])}"


def address_of(query: str) -> BoardAddress:
    """Understand a query; `ProblemError` for what cannot be.

    Examples
    --------
    >>> address_of("park=&stage=survey&lang=en&view=table").path
    '/requests?stage=survey&view=table'
    """
    pairs = [(name, value.strip()) for name, value in parse_qsl(query) if value.strip()]
    asked = {name: value for name, value in pairs if name in _FIELDS}
    shown = {name: value for name, value in pairs if name in _SHOWN}
    try:
        wanted = RequestQuery.model_validate(asked)
        more = frozenset(Stage(value) for name, value in pairs if name == "more")
        view, order = BoardView(shown.get("view", "board")), RequestOrder(shown.get("order", "due"))
    except ValidationError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, "; ".join(map(_told, error.errors()))) from None
    except ValueError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
    return BoardAddress(asked, wanted.filter, view, order, shown.get("after"), more)


def _told(finding: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, finding['loc']))}: {finding['msg']}"
