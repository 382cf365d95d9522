"""Conversion coefficients and emission factors: dated rows with a source, and the rules that come with them.

Never a constant in code: the rows that come with the platform live in ``data/factors.toml``, those of a park in the
database beside them. The lookup of one row is in `factor_rows`; this module holds collections of rows.

Which vintage of a yearly factor an accounting year gets is data: each row says from when to when it holds. What
has been published since may be hidden (``as_of``), and a reporting practice may name the data year (``practice``).
"""

import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, cast

from pydantic import Field, model_validator

from smartpark.errors import FactorNotFoundError
from smartpark.factor_kinds import FactorKind
from smartpark.factor_rows import (
    MEASURED,
    SUPPLIER,
    TABLE,
    CountsAs,
    Factor,
    FactorChoice,
    Reason,
    choose_factor,
)
from smartpark.measurands import Carrier, Measurand
from smartpark.tomlfile import StrictModel, parse_model

__all__ = [
    "MEASURED",
    "SUPPLIER",
    "TABLE",
    "CertificateRule",
    "CountsAs",
    "DefaultAccuracy",
    "ElectricityMethod",
    "ElectricitySelection",
    "Factor",
    "FactorChoice",
    "FactorKind",
    "FactorSet",
    "GapUncertainty",
    "GradeUncertainty",
    "Reason",
    "Vintage",
    "builtin_factors",
    "choose_factor",
    "digest_of",
    "expand_tables",
    "parse_factor_set",
]


class Vintage(StrictModel):
    """Which data year a reporting practice uses for an accounting year."""

    practice: str
    accounting_year: int
    data_year: int
    source: str
    grade: str


class ElectricityMethod(StrEnum):
    """How CO2 of purchased electricity is counted: four selections over the same activity data."""

    LOCATION_NATIONAL = "location_national"
    LOCATION_PROVINCIAL = "location_provincial"
    MARKET = "market"
    ZERO_CARBON_PARK = "zero_carbon_park"


class ElectricitySelection(StrictModel):
    """What one electricity method multiplies by what."""

    method: ElectricityMethod
    zh: str
    en: str
    scope: str
    """Of the factor of what is not covered by certificates; ``park``: the grid that the park's catalogue names."""
    certificates: bool
    """Whether green certificates count."""
    source: str
    grade: str


class GradeUncertainty(StrictModel):
    """Relative half-width of the 95 % interval of a value of which only the grade is known."""

    grade: str
    half_width: Annotated[float, Field(ge=0)]
    source: str


class DefaultAccuracy(StrictModel):
    """Accuracy class of meters of which the catalogue does not say it."""

    measurand: Measurand
    accuracy_class: Annotated[float, Field(gt=0)]
    """Largest error. [%]"""
    source: str
    grade: str


class GapUncertainty(StrictModel):
    """How unsure an amount is that was not measured."""

    estimate: Annotated[float, Field(ge=0)]
    """Half-width of what was apportioned across a gap, relative to itself. [1]"""
    missing: Annotated[float, Field(ge=0)]
    """Half-width of what is missing, relative to what the covered time lets one expect there. [1]"""
    source: str
    grade: str


class CertificateRule(StrictModel):
    """What a certificate of green electricity is worth, and how long."""

    instrument: str
    """e.g. ``gec`` (绿证)."""
    kwh: Annotated[float, Field(gt=0)]
    valid_months: Annotated[int, Field(gt=0)]
    """Months after that of generation in which it may be cancelled."""
    valid_from: date
    source: str
    grade: str


class FactorSet(StrictModel):
    """A collection of rows, and the rules that come with it."""

    version: str
    factor: tuple[Factor, ...]
    vintage: tuple[Vintage, ...] = ()
    electricity_method: tuple[ElectricitySelection, ...] = ()
    grade_uncertainty: tuple[GradeUncertainty, ...] = ()
    default_accuracy: tuple[DefaultAccuracy, ...] = ()
    gap_uncertainty: GapUncertainty | None = None
    certificate: tuple[CertificateRule, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "FactorSet":
        ids = [row.id for row in self.factor]
        if len(set(ids)) < len(ids):
            twice = {i for i in ids if ids.count(i) > 1}
            raise ValueError(f"factor ids used twice: {', '.join(sorted(twice))}")
        return self

    @cached_property
    def _by_subject(self) -> Mapping[tuple[FactorKind, Carrier], Sequence[Factor]]:
        found: defaultdict[tuple[FactorKind, Carrier], list[Factor]] = defaultdict(list)
        for row in self.factor:
            found[row.kind, row.carrier].append(row)
        return found

    @property
    def digest(self) -> str:
        """Of all rows, whatever their order: two sets with one digest give the same numbers."""
        return digest_of(self.factor)

    def choose(
        self,
        kind: FactorKind,
        carrier: Carrier,
        scope: str | Sequence[str],
        on: date,
        *,
        park: str | None = None,
        device: str | None = None,
        practice: str | None = None,
        as_of: date | None = None,
        historical: bool = False,
    ) -> FactorChoice:
        """`choose_factor` over these rows; a practice names the data year for the accounting year.

        Raises
        ------
        FactorNotFoundError
            As `choose_factor`, and when the practice says nothing of that year.
        """
        return choose_factor(
            self._by_subject.get((kind, carrier), ()),
            kind=kind,
            carrier=carrier,
            scope=scope,
            on=on,
            park=park,
            device=device,
            data_year=None if practice is None else self.data_year(practice, on.year),
            as_of=as_of,
            historical=historical,
        )

    def data_year(self, practice: str, accounting_year: int) -> int:
        """Data year of an accounting year by a practice; `FactorNotFoundError` lists the years it knows."""
        known = {v.accounting_year: v.data_year for v in self.vintage if v.practice == practice}
        if accounting_year not in known:
            years = ", ".join(f"{year}→{data}" for year, data in sorted(known.items())) or "none at all"
            raise FactorNotFoundError(
                f"practice {practice!r} names no data year for {accounting_year}; it has: {years}"
            )
        return known[accounting_year]

    def electricity(self, method: ElectricityMethod) -> ElectricitySelection:
        """Selection of an electricity method."""
        for selection in self.electricity_method:
            if selection.method is method:
                return selection
        raise FactorNotFoundError(f"these factors say nothing of the electricity method {method}")

    def half_width(self, factor: Factor) -> float:
        """Relative half-width of a row's 95 % interval: its own, or that of its grade; NaN where neither is known."""
        if factor.uncertainty is not None:
            return factor.uncertainty
        by_grade = {entry.grade: entry.half_width for entry in self.grade_uncertainty}
        return by_grade.get(factor.grade, by_grade.get(factor.grade[:1], float("nan")))

    def accuracy_class(self, measurand: Measurand) -> float:
        """Accuracy class [%] of a meter that names none; NaN where no rule says it."""
        classes = {entry.measurand: entry.accuracy_class for entry in self.default_accuracy}
        return classes.get(measurand, float("nan"))

    def with_rows(self, rows: Iterable[Factor]) -> "FactorSet":
        """Return these rules with other rows; the version says which rows they are."""
        found = tuple(sorted(rows, key=lambda row: row.id))
        return FactorSet(
            version=f"{self.version}.{digest_of(found)}",
            factor=found,
            vintage=self.vintage,
            electricity_method=self.electricity_method,
            grade_uncertainty=self.grade_uncertainty,
            default_accuracy=self.default_accuracy,
            gap_uncertainty=self.gap_uncertainty,
            certificate=self.certificate,
        )


def digest_of(rows: Iterable[Factor]) -> str:
    """Digest of rows, whatever their order. Twelve hexadecimal digits."""
    texts = sorted(row.model_dump_json() for row in rows)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def expand_tables(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give a document with its ``[[table]]`` entries written out as factors.

    What stands at the head of a table holds for each of its rows. Entries that are no tables are left for the
    model to complain about.
    """
    rest = {key: value for key, value in document.items() if key != "table"}
    tables = document.get("table")
    if not isinstance(tables, list):
        return dict(document)
    rows: list[Any] = list(rest.get("factor", []))
    for table in cast("list[Any]", tables):
        if not isinstance(table, dict) or not isinstance(table.get("row"), list):
            return dict(document)
        head = {key: value for key, value in cast("dict[str, Any]", table).items() if key != "row"}
        rows += [{**head, **row} if isinstance(row, dict) else row for row in cast("list[Any]", table["row"])]
    return {**rest, "factor": rows}


def parse_factor_set(document: Mapping[str, Any], *, file: str) -> FactorSet:
    """Check a parsed document of factors; `InvalidFileError` names file, row and key of every problem."""
    return parse_model(expand_tables(document), FactorSet, file=file)


@cache
def builtin_factors() -> FactorSet:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("factors.toml").read_text(encoding="utf-8")
    return parse_factor_set(tomllib.loads(text), file="smartpark/data/factors.toml")
