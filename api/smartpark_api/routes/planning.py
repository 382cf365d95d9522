"""Looking ahead: the park's load in the coming days, and what capacity is free."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.workdays import builtin_workdays, load_workdays
from smartpark_analytics.planning.network import UnknownNodeError

from smartpark_api.access.needs import needs
from smartpark_api.database import Now, Settings, reading
from smartpark_api.lookup import find_park
from smartpark_api.planning.asking import QuestionError, question_of
from smartpark_api.planning.forecasting import MOST_DAYS, forecast_park
from smartpark_api.planning.free_capacity import headroom_of_park
from smartpark_api.planning.models import ForecastOut, Grid, HeadroomOut
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode

router = APIRouter(tags=["planning"])


@router.get("/parks/{code}/forecast", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_park_forecast(
    request: Request,
    code: ParkCode,
    *,
    now: Now,
    settings: Settings,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="Days ahead.")] = 3,
    grid: Annotated[Grid, Query(description="Length of a slot.")] = Grid.HOUR,
) -> ForecastOut:
    """Load of the park in the days ahead with its quantiles, and the highest of the coming year.

    With too little history there are fewer numbers, and `basis` and `detail` say why.
    """
    file = settings.workday_file
    calendar = builtin_workdays() if file is None else load_workdays(file)
    with reading(request) as connection:
        find_park(connection, code)
        return forecast_park(connection, code, now=now, calendar=calendar, days=days, grid=grid)


@router.get("/parks/{code}/headroom", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_park_headroom(
    request: Request,
    code: ParkCode,
    *,
    now: Now,
    ask_kva: Annotated[float | None, Query(gt=0, le=1e7, description="New load that is asked for. [kVA]")] = None,
    coincidence: Annotated[
        float, Query(gt=0, le=1, description="Share of it that falls together with the peak. [0-1]")
    ] = 1.0,
    start: Annotated[
        str | None, Query(alias="from", description="When it begins: a month or a day.", examples=["2027-03"])
    ] = None,
    reserved: Annotated[
        list[str] | None,
        Query(description="Further promises, NODE=KVA@COINCIDENCE.", examples=[["F1=1000@0.8"]], max_length=200),
    ] = None,
    promised: Annotated[
        bool, Query(description="Take off what is promised to load requests under way; false: leave it out.")
    ] = True,
    station: Annotated[
        list[str] | None,
        Query(description="Transformers that stand in for each other.", examples=[["TR1+TR2"]], max_length=50),
    ] = None,
    short_time: Annotated[
        bool, Query(description="N-1: the remaining units may be loaded above their rating for a short time.")
    ] = True,
) -> HeadroomOut:
    """Free capacity of every transformer, feeder and path in kVA, which rule binds, and whether a request fits."""
    try:
        question = question_of(
            ask_kva=ask_kva,
            coincidence=coincidence,
            start=start,
            reserved=reserved or [],
            stations=station or [],
            short_time=short_time,
            promised=promised,
        )
        with reading(request) as connection:
            find_park(connection, code)
            return headroom_of_park(connection, code, question, now=now)
    except (QuestionError, UnknownNodeError) as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
