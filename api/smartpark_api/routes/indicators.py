"""Indicators: what was published, by which method, from which factors, at which revision."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.accounts import PARK
from smartpark.errors import FactorNotFoundError, SmartparkError
from smartpark.periods import Grain, Period, period_containing
from smartpark_analytics.accounting import UnitMismatchError
from smartpark_analytics.accounting.explanation import NothingToExplainError
from smartpark_storage.derived import WHOLE_PARK
from smartpark_storage.reads import IndicatorReadRow, read_indicators

from smartpark_api.access.needs import needs
from smartpark_api.database import Now, Settings, reading
from smartpark_api.explaining.evidence import LISTED, Depth, Question, Sources, explain, parse_period
from smartpark_api.explaining.models import ExplanationOut, answer_out
from smartpark_api.explaining.questions import depth_of
from smartpark_api.lookup import find_park
from smartpark_api.models.base import Missing, because
from smartpark_api.models.indicators import IndicatorGrain, IndicatorList, IndicatorOut
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode
from smartpark_api.spans import From, To, span_of

router = APIRouter(tags=["indicators"])


@router.get("/parks/{code}/indicators", dependencies=[needs(Scope.INDICATORS_READ, "path.code")])
def list_indicators(
    request: Request,
    code: ParkCode,
    *,
    now: Now,
    settings: Settings,
    start: From = None,
    end: To = None,
    grain: Annotated[IndicatorGrain, Query(description="Length of the accounting periods.")] = IndicatorGrain.HOUR,
    indicator: Annotated[
        str | None, Query(description="Only this one.", examples=["electricity_consumption"], max_length=100)
    ] = None,
    boundary: Annotated[
        str,
        Query(
            description="Whose: `park`, `sub_park/CODE`, `enterprise/CODE`, `device/CODE` …",
            examples=["park", "enterprise/T03"],
            max_length=100,
        ),
    ] = WHOLE_PARK,
) -> IndicatorList:
    """Newest revision of each indicator for periods that overlap [from, to), oldest first.

    Late or corrected data makes a new revision; `revision` and `computed_at` say which one this is.
    """
    since, until = span_of(start, end, now=now)
    since = period_containing(since, Grain(grain.value)).start
    with reading(request) as connection:
        find_park(connection, code)
        rows = read_indicators(
            connection,
            code,
            since,
            until,
            grain=grain.value,
            indicator=indicator,
            boundary=boundary,
            limit=settings.max_rows + 1,
        )
    if len(rows) > settings.max_rows:
        raise ProblemError(
            ProblemKind.RANGE_TOO_WIDE,
            f"more than {settings.max_rows} indicators lie between from and to: "
            "ask for a shorter span, for one indicator, or for a longer grain",
        )
    return IndicatorList(
        park=code, boundary=boundary, start=since, end=until, indicators=[indicator_of(row) for row in rows]
    )


@router.get("/indicators/explain", dependencies=[needs(Scope.INDICATORS_READ, "query.park")])
def explain_indicator(
    request: Request,
    *,
    indicator: Annotated[str, Query(description="Its code.", examples=["carbon_location"], max_length=100)],
    park: Annotated[str, Query(description="Code of the park.", examples=["minhou-demo"], max_length=100)],
    period: Annotated[
        str, Query(description="Hour, day, month or year in Asia/Shanghai.", examples=["2026-11-22"], max_length=20)
    ],
    boundary: Annotated[
        str, Query(description="Whose number.", examples=["park", "enterprise/T01"], max_length=200)
    ] = PARK,
    revision: Annotated[
        int | None, Query(description="An older revision; default: the current one.", ge=1, le=2**31 - 1)
    ] = None,
    whole: Annotated[
        bool, Query(description="Take what it is made of apart in turn; a year ends at its published days.")
    ] = False,
) -> ExplanationOut:
    """The whole derivation of a published number: inputs, completeness, factors with source, formula.

    The terms (of an hour or a day) or the parts (of a month or a year) add up to the value to the last digit.
    """
    asked = Question(indicator, park, period_of(period), boundary, revision)
    return explanation_of(request, asked, depth_of(asked.period, whole=False) if whole else LISTED)


def period_of(text: str) -> Period:
    """A period as an address gives it, or the problem with it."""
    try:
        return parse_period(text)
    except SmartparkError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from error


def explanation_of(request: Request, question: Question, depth: Depth = LISTED) -> ExplanationOut:
    """An explanation, or the problem why there is none."""
    with reading(request) as connection:
        try:
            return answer_out(explain(Sources(connection), question, depth))
        except (NothingToExplainError, FactorNotFoundError, UnitMismatchError) as error:
            raise ProblemError(ProblemKind.NOT_FOUND, str(error)) from error


def indicator_of(row: IndicatorReadRow) -> IndicatorOut:
    """A published number as the API gives it."""
    return IndicatorOut(
        indicator=row.indicator,
        grain=IndicatorGrain(row.grain),
        start=row.start,
        end=period_containing(row.start, Grain(row.grain)).end,
        value=row.value,
        numerator=row.numerator,
        denominator=row.denominator,
        unit=row.unit,
        completeness=row.completeness,
        estimated_share=row.estimated_share,
        method=row.method,
        factor_set=row.factor_set,
        factors=row.factors,
        revision=row.revision,
        computed_at=row.computed_at,
        reason=None if row.value is not None else because(Missing.INCOMPUTABLE, row.reason or None),
    )
