"""Business figures: read with their history, and entered with attribution.

They are taken only as JSON, which no page of another site can send without asking first.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from smartpark.access import Scope
from smartpark.business_figures import BusinessFigure, FigureKind, figure_problems
from smartpark_storage.figures import EVER, FigureRow, entity_complaint, figure_entities, read_figures, record_figures

from smartpark_api.access.needs import needs
from smartpark_api.database import Now, Settings, reading, writing
from smartpark_api.evaluation.models import FigureIn, FigureList, FigureOut, FiguresIn, FiguresRecorded
from smartpark_api.lookup import find_park
from smartpark_api.problems import InvalidField, ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode

router = APIRouter(tags=["figures"])


@router.get("/parks/{code}/figures", dependencies=[needs(Scope.FIGURES_READ, "path.code")])
def list_figures(
    request: Request,
    code: ParkCode,
    *,
    settings: Settings,
    entity: Annotated[str | None, Query(description="Only of this one.", examples=["park"], max_length=80)] = None,
    kind: Annotated[FigureKind | None, Query(description="Only of this kind.")] = None,
    year: Annotated[int | None, Query(ge=2000, le=2099, description="Only of periods in this year.")] = None,
    history: Annotated[bool, Query(description="Every revision, withdrawn figures too.")] = False,
) -> FigureList:
    """Business figures that stand, by period; with `history` every revision, by whom and until when."""
    start, end = EVER if year is None else (date(year, 1, 1), date(year + 1, 1, 1))
    with reading(request) as connection:
        find_park(connection, code)
        rows = read_figures(
            connection,
            park=code,
            entity=entity,
            kind=None if kind is None else kind.value,
            start=start,
            end=end,
            history=history,
            limit=settings.max_rows + 1,
        )
    if len(rows) > settings.max_rows:
        raise ProblemError(
            ProblemKind.RANGE_TOO_WIDE, f"there are more than {settings.max_rows} figures: ask for a year or a kind"
        )
    return FigureList(park=code, figures=[figure_of(row) for row in rows])


@router.post("/parks/{code}/figures", dependencies=[needs(Scope.FIGURES_WRITE, "path.code")])
def record_park_figures(request: Request, code: ParkCode, given: FiguresIn, *, now: Now) -> FiguresRecorded:
    """Record figures of a park, all or none; the same figure again changes nothing.

    A figure is identified by entity, kind, product, price basis and period. Another value makes a new revision, null
    withdraws it; nothing is overwritten.
    """
    figures, fields = _checked(code, given)
    with writing(request) as connection:
        find_park(connection, code)
        known = figure_entities(connection)
        for n, figure in figures:
            complaint = entity_complaint(figure, known)
            if complaint is not None:
                column, _, message = complaint.partition(": ")
                fields.append(InvalidField(location=f"body.figures.{n}.{column}", message=message))
        if fields:
            detail = "; ".join(f"{field.location}: {field.message}" for field in fields)
            raise ProblemError(ProblemKind.INVALID_REQUEST, detail, fields)
        report = record_figures(connection, [figure for _, figure in figures], at=now)
    return FiguresRecorded(park=code, **asdict(report))


def _checked(park: str, given: FiguresIn) -> tuple[list[tuple[int, BusinessFigure]], list[InvalidField]]:
    """Figures with their places, and what is wrong with the others."""
    figures: list[tuple[int, BusinessFigure]] = []
    fields: list[InvalidField] = []
    for n, one in enumerate(given.figures):
        document = one.model_dump() | {"park": park, "entered_by": given.entered_by}
        try:
            figures.append((n, BusinessFigure.model_validate(document)))
        except ValidationError as error:
            fields += _fields(error, one, n, park=park)
    places: dict[tuple[str, ...], int] = {}
    for n, figure in figures:
        first = places.setdefault(figure.key, n)
        if first != n:
            message = f"the same figure as body.figures.{first}"
            fields.append(InvalidField(location=f"body.figures.{n}", message=message))
    return figures, fields


def _fields(error: ValidationError, given: FigureIn, n: int, *, park: str) -> Sequence[InvalidField]:
    problems = figure_problems(error, given.model_dump(), file=park, row="")
    fields: list[InvalidField] = []
    for problem in problems:
        column = problem.key.removeprefix(", ")
        where = "body.entered_by" if column == "entered_by" else f"body.figures.{n}.{column}".rstrip(".")
        fields.append(InvalidField(location=where, message=problem.message))
    return fields


def figure_of(row: FigureRow) -> FigureOut:
    """A figure as the API gives it."""
    return FigureOut(
        entity=row.entity,
        kind=FigureKind(row.kind),
        product=row.product,
        period=str(row.period),
        value=row.value,
        unit=row.unit,
        price_basis=row.price_basis,
        is_estimated=row.is_estimated,
        source_document=row.source_document,
        entered_by=row.entered_by,
        note=row.note,
        revision=row.revision,
        recorded_at=row.recorded_at,
        superseded_at=row.superseded_at,
    )
