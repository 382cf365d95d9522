"""For whoever starts and watches this process: does it live, can it serve."""

from fastapi import APIRouter, Request
from smartpark_storage.connections import describe_database
from smartpark_storage.reads import read_parks

from smartpark_api.access.needs import open_to_all
from smartpark_api.database import reading
from smartpark_api.models.operations import Health, Readiness

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[open_to_all("whoever starts the process asks whether it lives")])
def get_health() -> Health:
    """The process answers; nothing is said about the database."""
    return Health()


@router.get(
    "/readyz",
    dependencies=[open_to_all("whoever starts the process asks whether it can serve")],
    responses={503: {"description": "The database cannot be reached, or has no tables."}},
)
def get_readiness(request: Request) -> Readiness:
    """The database answers and has our tables; 503 while it does not."""
    with reading(request) as connection:
        read_parks(connection)
        return Readiness(database=describe_database(connection).label)
