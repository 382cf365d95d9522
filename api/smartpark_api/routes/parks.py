"""Parks, their points and their newest readings."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.measurands import Measurand
from smartpark_storage.reads import read_devices, read_latest, read_parks, read_points

from smartpark_api.access.needs import needs
from smartpark_api.access.places import theirs
from smartpark_api.database import Now, picture_of, reading
from smartpark_api.load import DAY, park_load
from smartpark_api.lookup import find_park, point_of, summary_of
from smartpark_api.models.catalogue import (
    DeviceOut,
    LatestList,
    ParkDetail,
    ParkList,
    PointList,
)
from smartpark_api.models.now import ParkNow
from smartpark_api.models.series import Load
from smartpark_api.now import latest_value

router = APIRouter(tags=["parks"])

ParkCode = Annotated[str, Path(description="Code of the park.", examples=["minhou-demo"])]


@router.get("/parks", dependencies=[needs(Scope.PARKS_READ)])
def list_parks(request: Request) -> ParkList:
    """Every park of this instance that whoever asks may know of."""
    with reading(request) as connection:
        parks = theirs(request, Scope.PARKS_READ, read_parks(connection))
    return ParkList(parks=[summary_of(park) for park in parks])


@router.get("/parks/{code}", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_park(request: Request, code: ParkCode) -> ParkDetail:
    """One park and its devices."""
    with reading(request) as connection:
        park = find_park(connection, code)
        devices = read_devices(connection, code)
    out = [DeviceOut.model_validate(device, from_attributes=True) for device in devices]
    return ParkDetail(**summary_of(park).model_dump(), device=out)


@router.get("/parks/{code}/now", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_park_now(request: Request, code: ParkCode, now: Now) -> ParkNow:
    """What the park takes, makes and emits at this moment, today so far, and how far to trust it.

    A value that is not known is null with a reason. The answer is put together at most once a second.
    """
    return picture_of(request, code, now=now)


@router.get("/parks/{code}/load", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def get_park_load(request: Request, code: ParkCode, now: Now) -> Load:
    """Power of the park over the last 24 hours in quarters of an hour, and over the 24 hours before."""
    with reading(request) as connection:
        find_park(connection, code)
        return park_load(connection, code, end=now, span=DAY)


@router.get("/parks/{code}/points", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def list_points(
    request: Request,
    code: ParkCode,
    device: Annotated[str | None, Query(description="Only of this device.", examples=["T01"])] = None,
    measurand: Annotated[Measurand | None, Query(description="Only of this measurand.")] = None,
) -> PointList:
    """Points in service, by device."""
    with reading(request) as connection:
        find_park(connection, code)
        points = read_points(connection, code, device=device, measurand=measurand)
    return PointList(park=code, points=[point_of(point) for point in points])


@router.get("/parks/{code}/latest", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def list_latest(request: Request, code: ParkCode, now: Now) -> LatestList:
    """Newest reading of every point in service."""
    with reading(request) as connection:
        find_park(connection, code)
        rows = read_latest(connection, code)
    return LatestList(park=code, as_of=now, latest=[latest_value(row, now=now) for row in rows])
