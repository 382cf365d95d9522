"""Stages and limits of load requests as dated rows: ``data/load_request_rules.toml``, and what an installation adds.

A lookup says which row it chose. Where no row limits a stage there is no limit, and it is said so: none is made up.
The green channel has the limits of rows that name it; where an installation has entered none, the normal ones count.
"""

import tomllib
from collections.abc import Iterable
from datetime import date, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, model_validator

from smartpark.dated import DatedRow, RuleNotFoundError, in_force, unique_ids
from smartpark.errors import InvalidFileError, Problem
from smartpark.load_requests.words import Channel, Importance, Owner, Stage, Supply, UserKind, VoltageClass
from smartpark.tomlfile import StrictModel, load_model, parse_model

WorkingDays = Annotated[int, Field(ge=1, le=1000)]


class Case(StrictModel):
    """What limits and templates depend on."""

    voltage: VoltageClass
    supply: Supply = Supply.SINGLE
    user_kind: UserKind = UserKind.ORDINARY
    importance: Importance = Importance.ORDINARY
    channel: Channel = Channel.NORMAL

    @property
    def is_reviewed(self) -> bool:
        """Whether the design is reviewed and the works are inspected midway: important users and special loads."""
        return self.importance is not Importance.ORDINARY or self.user_kind is UserKind.SPECIAL_LOAD


class StageRow(StrictModel):
    """A stage of a template."""

    stage: Stage
    first_owner: Owner
    """Who owes the first action; the utility's clock begins when it is the utility's turn."""
    may_reject: bool = False
    """Whether the request may be rejected in this stage."""


class CaseRow(DatedRow):
    """A dated row for some cases; what it does not name it does not ask for."""

    voltages: Annotated[tuple[VoltageClass, ...], Field(min_length=1)]
    supplies: tuple[Supply, ...] = tuple(Supply)
    user_kinds: tuple[UserKind, ...] = tuple(UserKind)

    def fits(self, case: Case) -> bool:
        """Whether the row is about this case."""
        return case.voltage in self.voltages and case.supply in self.supplies and case.user_kind in self.user_kinds


class Template(CaseRow):
    """Stages of a request, in order."""

    reviewed: bool | None = None
    """Only for cases that are reviewed, or that are not; none: for both."""
    stages: Annotated[tuple[StageRow, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _stages_once(self) -> "Template":
        names = [row.stage for row in self.stages]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.id}: a stage stands twice")
        return self

    @property
    def order(self) -> tuple[Stage, ...]:
        """Stages alone."""
        return tuple(row.stage for row in self.stages)

    def row(self, stage: Stage) -> StageRow | None:
        """Row of a stage; none when the template does not have it."""
        return next((row for row in self.stages if row.stage is stage), None)

    def fits(self, case: Case) -> bool:
        """Whether the template is for this case."""
        return super().fits(case) and self.reviewed in (None, case.is_reviewed)


class Limit(CaseRow):
    """Working days of the utility for a stage."""

    regime: str
    stage: Stage
    counts: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """Stages whose utility days count; the limit is that of the last of them."""
    channel: Channel = Channel.NORMAL
    working_days: WorkingDays

    @model_validator(mode="after")
    def _counts_itself(self) -> "Limit":
        if self.stage not in self.counts:
            raise ValueError(f"{self.id}: counts does not name {self.stage}, whose limit it is")
        return self


class Total(CaseRow):
    """Working days of the utility from acceptance to energization."""

    channel: Channel = Channel.NORMAL
    working_days: WorkingDays


class SchemeValidity(CaseRow):
    """How long a replied scheme may be built by."""

    months: Annotated[int, Field(ge=1, le=120)]
    extension_asked_days_before: Annotated[int, Field(ge=0)]
    warned_days_before: Annotated[int, Field(ge=0)]
    """Days before the last day to ask, and before the end, from which the manager is warned."""


class Practice(DatedRow):
    """Habits of the office."""

    regime: str
    """Whose limits are served by."""
    opens: time
    """From then on, on working days, people are reminded."""
    closes: time
    """What comes later than this counts as of the next day."""
    at_risk_share: Annotated[float, Field(gt=0, lt=1)]
    green_quiet_working_days: WorkingDays
    """Working days without any event after which a green-channel request is escalated."""
    undo_seconds: Annotated[int, Field(ge=0, le=3600)]
    """For so long may whoever moved a request take it back."""
    remind_working_days_before: tuple[Annotated[int, Field(ge=0)], ...]


CaseRowT = TypeVar("CaseRowT", bound=CaseRow)


class LoadRequestRules(StrictModel):
    """All rows."""

    version: str
    template: tuple[Template, ...] = ()
    limit: tuple[Limit, ...] = ()
    total: tuple[Total, ...] = ()
    scheme_validity: tuple[SchemeValidity, ...] = ()
    practice: tuple[Practice, ...] = ()

    @model_validator(mode="after")
    def _ids_once(self) -> "LoadRequestRules":
        unique_ids((*self.template, *self.limit, *self.total, *self.scheme_validity, *self.practice))
        return self

    def practice_on(self, on: date) -> Practice:
        """Habits in force on a day."""
        return in_force(self.practice, on, what="practice of load requests")

    def template_for(self, case: Case, on: date) -> Template:
        """Most particular template that fits; `RuleNotFoundError` when none does."""
        found = _fitting(self.template, case, on)
        if not found:
            raise RuleNotFoundError(f"no template of stages for {_told(case)} is in force on {on}")
        return found[0]

    def limit_for(self, stage: Stage, case: Case, on: date) -> Limit | None:
        """Limit of a stage under the regime in force; that of the green channel first where there is one."""
        regime = self.practice_on(on).regime
        rows = (row for row in self.limit if row.regime == regime and row.stage is stage)
        return _of_channel(_fitting(rows, case, on), case)

    def limits_covering(self, stage: Stage, case: Case, on: date) -> Limit | None:
        """Limit whose clock runs during a stage: its own, or that of a later one which covers it."""
        regime = self.practice_on(on).regime
        rows = (row for row in self.limit if row.regime == regime and stage in row.counts)
        return _of_channel(_fitting(rows, case, on), case)

    def total_for(self, case: Case, on: date) -> Total | None:
        """Limit of the utility's part as a whole."""
        return _of_channel(_fitting(self.total, case, on), case)

    def scheme_validity_for(self, case: Case, on: date) -> SchemeValidity | None:
        """How long a scheme replied on a day stays valid."""
        return next(iter(_fitting(self.scheme_validity, case, on)), None)


def _fitting(rows: Iterable[CaseRowT], case: Case, on: date) -> list[CaseRowT]:
    """Rows for the case in force on the day: the most particular first, then the newest, then as written."""
    found = sorted(
        (row for row in rows if row.covers(on) and row.fits(case)), key=lambda row: -row.valid_from.toordinal()
    )
    return sorted(found, key=_breadth)


def _breadth(row: CaseRow) -> int:
    """How many cases a row is for."""
    reviewed = 1 if isinstance(row, Template) and row.reviewed is not None else 2
    return len(row.user_kinds) * len(row.supplies) * reviewed


_Channelled = TypeVar("_Channelled", Limit, Total)


def _of_channel(rows: list[_Channelled], case: Case) -> _Channelled | None:
    own = [row for row in rows if row.channel is case.channel]
    normal = [row for row in rows if row.channel is Channel.NORMAL]
    return next(iter([*own, *normal]), None)


def _told(case: Case) -> str:
    return f"{case.voltage}, {case.supply}, {case.user_kind}, {case.importance}"


@cache
def builtin_load_request_rules() -> LoadRequestRules:
    """Rows that come with the package."""
    text = files("smartpark.data").joinpath("load_request_rules.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), LoadRequestRules, file="smartpark/data/load_request_rules.toml")


def load_load_request_rules(path: Path) -> LoadRequestRules:
    """Rows of the package with those of a file before them; the file is refused whole."""
    own, built = load_model(path, LoadRequestRules), builtin_load_request_rules()
    together = {
        "version": f"{built.version}+{own.version}",
        "template": (*own.template, *built.template),
        "limit": (*own.limit, *built.limit),
        "total": (*own.total, *built.total),
        "scheme_validity": (*own.scheme_validity, *built.scheme_validity),
        "practice": (*own.practice, *built.practice),
    }
    rules = parse_model(together, LoadRequestRules, file=str(path))
    regimes = {row.regime for row in rules.limit}
    unknown = [row for row in own.practice if row.regime not in regimes]
    if unknown:
        known = ", ".join(sorted(regimes))
        raise InvalidFileError(
            Problem(str(path), f"practice[{row.id}].regime", f"no limit is of {row.regime!r}; there is: {known}")
            for row in unknown
        )
    return rules
