"""Capacity: whether a load request fits, and what would be if somebody asked for so much from then on."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.load_requests.words import VoltageClass
from smartpark_analytics.planning.network import UnknownNodeError
from smartpark_storage.load_requests import UnknownRequestError, read_row

from smartpark_api.access.needs import needs
from smartpark_api.access.places import of_load_request
from smartpark_api.database import Now, reading
from smartpark_api.load_requests.asking import capacity_for, network_of, simulate
from smartpark_api.load_requests.capacity import Ask
from smartpark_api.load_requests.capacity_models import CapacityOut
from smartpark_api.lookup import find_park
from smartpark_api.planning.asking import QuestionError, month_or_day
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode

router = APIRouter(tags=["planning"])
RequestCode = Annotated[
    str,
    Path(
        max_length=20,
        pattern=r"^LR-[0-9]{4}-[0-9]{6,}$",
        description="Load request.",
        examples=["LR-2026-000123"],
    ),
]


@router.get("/parks/{code}/capacity-simulation", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_capacity_simulation(
    request: Request,
    code: ParkCode,
    *,
    now: Now,
    kva: Annotated[float, Query(gt=0, le=1e7, description="New load that somebody might ask for. [kVA]")],
    start: Annotated[
        str | None, Query(alias="from", description="When it begins: a month or a day.", examples=["2027-03"])
    ] = None,
    node: Annotated[
        str | None,
        Query(max_length=120, description="Where; without it, where there is most room.", examples=["feeder/L1"]),
    ] = None,
    coincidence: Annotated[
        float | None, Query(gt=0, le=1, description="Share that falls together with the peak; without it, all. [0-1]")
    ] = None,
    voltage: Annotated[VoltageClass | None, Query(description="Which nodes come into question.")] = None,
    short_time: Annotated[
        bool, Query(description="N-1: the remaining units may be overloaded for a short time.")
    ] = True,
) -> CapacityOut:
    """Whether a load of so many kVA would fit, at every level up to the park, and everything the answer rests on."""
    try:
        begins = None if start is None else month_or_day(start)
        ask = Ask(kva, coincidence, begins, node, voltage, is_short_time_allowed=short_time)
        with reading(request) as connection:
            find_park(connection, code)
            return simulate(connection, network_of(request, connection, code, now=now), code, ask)
    except (QuestionError, UnknownNodeError) as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None


@router.get("/load-requests/{code}/capacity", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def get_load_request_capacity(request: Request, code: RequestCode, *, now: Now) -> CapacityOut:
    """Whether a load request fits: transformer, feeder and park, 80 % and N-1, what is promised to others taken off.

    Where no forecast of the coming year's peak exists yet, the seasonal maximum is used, and `basis` and the
    assumptions say so.
    """
    with reading(request) as connection:
        try:
            row = read_row(connection, code)
        except UnknownRequestError as error:
            raise ProblemError(ProblemKind.NOT_FOUND, str(error)) from None
        return capacity_for(connection, network_of(request, connection, row.park, now=now), row)
