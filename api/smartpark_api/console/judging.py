"""Whether there is room for requests on the board: capacity's own verdict, for some of them at once.

Loads and promises of a park are read once for all of its requests. What has an approved scheme is judged already and
is left out, and so is what nobody can judge.
"""

from collections.abc import Sequence

from fastapi import Request
from smartpark_storage.load_requests import RequestRow, UnknownRequestError, read_row
from smartpark_storage.reads import read_parks

from smartpark_api.load_requests.asking import network_of
from smartpark_api.load_requests.capacity import ask_of, capacity_of
from smartpark_api.load_requests.service import Desk
from smartpark_api.planning.promised import promised_in


def judged(request: Request, desk: Desk, codes: Sequence[str]) -> dict[str, str]:
    """Verdicts by the codes of the requests that have one."""
    rows = [row for row in (_row(desk, code) for code in dict.fromkeys(codes)) if row is not None]
    found: dict[str, str] = {}
    for park in read_parks(desk.connection):
        asking = [row for row in rows if row.park == park.code and row.outcome is None and row.approved_kva is None]
        if not asking:
            continue
        loads = network_of(request, desk.connection, park.code, now=desk.now)
        promises = promised_in(desk.connection, park.code)
        for row in asking:
            verdict = capacity_of(loads, park.code, ask_of(row), promises).verdict
            if verdict is not None:
                found[row.code] = verdict
    return found


def _row(desk: Desk, code: str) -> RequestRow | None:
    try:
        return read_row(desk.connection, code)
    except UnknownRequestError:
        return None
