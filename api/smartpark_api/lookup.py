"""Finding what a request names, or saying which names there are."""

from smartpark_storage.connections import Connection
from smartpark_storage.reads import ParkRow, PointRow, read_parks, read_point

from smartpark_api.models.catalogue import ParkSummary, PointOut
from smartpark_api.problems import ProblemError, ProblemKind


def find_park(connection: Connection, code: str) -> ParkRow:
    """Park of that code, or a problem that lists those there are."""
    found = read_parks(connection, code)
    if found:
        return found[0]
    known = ", ".join(park.code for park in read_parks(connection)) or "none yet"
    raise ProblemError(ProblemKind.PARK_NOT_FOUND, f"there is no park {code!r}; known: {known}")


def find_point(connection: Connection, key: str) -> PointRow:
    """Point of that key, or a problem that says where to look it up."""
    found = read_point(connection, key)
    if found is None:
        raise no_point(key)
    return found


def no_point(key: str) -> ProblemError:
    """The problem that there is no point of that key, or none that whoever asks may know of."""
    park = key.partition("/")[0]
    return ProblemError(
        ProblemKind.POINT_NOT_FOUND,
        f"there is no point {key!r}; keys are park/device/point, and /api/v1/parks/{park}/points lists them",
    )


def summary_of(park: ParkRow) -> ParkSummary:
    """A park as it stands in a list."""
    return ParkSummary.model_validate(park, from_attributes=True)


def point_of(point: PointRow) -> PointOut:
    """A point as the API gives it."""
    return PointOut(
        key=point.key,
        device=point.device,
        code=point.code,
        measurand=point.measurand,
        kind=point.kind,
        unit=point.unit,
        carrier=point.carrier,
        resolution_exponent=point.exponent,
        multiplier=point.multiplier,
    )
