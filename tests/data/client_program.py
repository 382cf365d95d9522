"""A program of somebody else: reads parks, numbers and requests, and enters a request, by the generated client.

It is checked by types before it is run, as its author's editor would; run as `ADDRESS KEY`, it prints what it saw.
"""

import json
import sys
from datetime import UTC, datetime

from park_client import AuthenticatedClient
from park_client.api.indicators import list_indicators
from park_client.api.load_requests import get_load_request, list_load_requests, open_load_request
from park_client.api.parks import get_park, list_parks
from park_client.models import (
    Details,
    IndicatorGrain,
    IndicatorList,
    OpenIn,
    ParkDetail,
    ParkList,
    Problem,
    RequestDetail,
    RequestKind,
    RequestList,
    VoltageClass,
)

PARK = "testpark"


def main() -> None:
    """Ask, write, ask again."""
    address, key = sys.argv[1:]
    client = AuthenticatedClient(address, token=key)

    parks = list_parks.sync(client=client)
    assert isinstance(parks, ParkList)
    missing = get_park.sync("nowhere", client=client)
    assert isinstance(missing, Problem)
    park = get_park.sync(PARK, client=client)
    assert isinstance(park, ParkDetail)

    since = datetime(2026, 11, 22, tzinfo=UTC)
    numbers = list_indicators.sync(PARK, client=client, from_=since, grain=IndicatorGrain.HOUR)
    assert isinstance(numbers, IndicatorList)
    values: list[float | None] = [one.value for one in numbers.indicators]

    before = list_load_requests.sync(client=client, park=PARK)
    assert isinstance(before, RequestList)
    details = Details(
        park=PARK,
        applicant="Stone Works",
        kind=RequestKind.NEW_SUPPLY,
        applied_kva=400.0,
        voltage=VoltageClass.VALUE_1,
        contact_role="plant manager",
    )
    made = open_load_request.sync_detailed(client=client, body=OpenIn(details), idempotency_key="client-program")
    assert isinstance(made.parsed, RequestDetail)
    code: str = made.parsed.request.code
    seen = get_load_request.sync(code, client=client)
    assert isinstance(seen, RequestDetail)

    told = {
        "parks": [one.code for one in parks.parks],
        "missing": (missing.status, missing.type_),
        "devices": len(park.device),
        "values": values,
        "before": len(before.requests),
        "made": (int(made.status_code), made.headers["location"], code),
        "applicant": seen.details.applicant,
        "version": seen.request.version,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
