"""A served instance with something of everything in it, for tests of what the OpenAPI document promises.

Two parks (`testpark` with readings and indicators, `netpark` with a network and its loads), the desk with people, two
load requests, documents, links, a calendar and a webhook; entered as people and programs enter it: the desk's part
over HTTP, the rest by storage's own functions. `WORDS` are the names that lead to it, for a program that tries all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from fix_api import NOON, PARK_FILE, ParkHand, edge_status
from smartpark.catalogue import load_catalogue
from smartpark_storage import DeadReason

NETPARK: Final = Path(__file__).parent / "data" / "planning_park.toml"
WEEKS: Final = 2
API: Final = "/api/v1"
CHEN: Final = {"Smartpark-Actor": "chen"}
SECRET: Final = b"0123456789abcdef0123456789abcdef"
POWER: Final = "testpark/M0/active_power"
PDF: Final = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"
DETAILS: Final = {
    "park": "testpark",
    "applicant": "闽侯铝业有限公司",
    "kind": "new_supply",
    "applied_kva": 2000,
    "voltage": "10kv",
    "contact_role": "electrical engineer",
}


@dataclass(frozen=True)
class OpenPark:
    """What was entered, by its names."""

    address: str
    headers: Mapping[str, str]
    """Of whoever may do everything here."""
    words: dict[str, list[Any]] = field(default_factory=dict)
    """Values of parameters (``path.code``, ``query.indicator`` …) that lead to something."""

    def client(self, **more: str) -> httpx.Client:
        """Somebody who may do everything."""
        return httpx.Client(base_url=self.address, headers={**self.headers, **more}, timeout=60)


def fill_storage(dsn: str) -> None:
    """What comes from edges and from derive."""
    hand = ParkHand(dsn)
    hand.load(load_catalogue(PARK_FILE))
    hand.load(load_catalogue(NETPARK))
    quarter = timedelta(minutes=15)
    for meter, kw in {"M1": 2400.0, "M2": 1200.0, "E1": 700.0}.items():
        loads = {NOON - n * quarter: (kw + n % 96) / 4 for n in range(1, WEEKS * 7 * 96)}
        hand.energy(f"netpark/{meter}/active_energy_import", loads)
    hand.store(
        *[(POWER, NOON - n * quarter, 400.0 + n) for n in range(8)],
        ("testpark/M0/active_energy_import", NOON, 1234.5),
        ("testpark/A1/ambient_pm25", NOON, 21.0),
        ("testpark/S1/so2_concentration", NOON, None),
        dead=(hand.dead(DeadReason.MALFORMED, at=NOON),),
    )
    hand.energy("testpark/M0/active_energy_import", {NOON - n * quarter: 100.0 for n in range(1, 9)})
    for hour in range(1, 6):
        hand.indicator("electricity_consumption", NOON - timedelta(hours=hour), 400.0, unit="kWh", grain="hour")
    midnight = NOON - timedelta(hours=12)
    hand.indicator("carbon_location", midnight - timedelta(days=1), 1.25, unit="t")
    hand.indicator("carbon_location", midnight - timedelta(days=2), None, unit="t")
    hand.hear(edge_status("edge-a", at=NOON), at=NOON)


def fill_desk(park: OpenPark) -> None:
    """What people enter, over HTTP; adds the names of what was made to the words."""
    with park.client(**CHEN) as client:
        _entered(client.put(f"{API}/persons/chen", json={"name": "陈工", "email": "chen@example.org"}))
        _entered(client.put(f"{API}/persons/lin", json={"name": "林工", "language": "en"}))
        term = {"person": "chen", "valid_to": "2027-01-01"}
        _entered(client.put(f"{API}/parks/testpark/managers/manager/2026-01-01", json=term))
        figure = {"kind": "value_added", "period": "2026Q2", "value": 8500, "price_basis": "current"}
        figures = {"entered_by": "Chen", "figures": [figure | {"source_document": "monthly return"}]}
        _entered(client.post(f"{API}/parks/testpark/figures", json=figures))
        codes = [_opened(client, DETAILS), _opened(client, DETAILS | {"park": "netpark", "applicant": "晋江纺织"})]
        where = f"{API}/load-requests/{codes[0]}"
        _entered(client.post(f"{where}/comments", json={"text": "asked for the single-line diagram"}))
        document = _entered(client.post(f"{where}/attachments", params={"name": "a.pdf"}, content=PDF))
        links = [_entered(client.post(f"{where}/links", json={"days": 30})) for _ in range(2)]
        assert all(link["path"] for link in links)
        calendar = _entered(client.post(f"{API}/calendars", json={"person": "chen"}))
        hook = {"url": "https://127.0.0.1:9/hook", "secret_ref": "office", "events": ["moved"]}
        _entered(client.put(f"{API}/webhooks/office", json=hook))
        _entered(client.put(f"{API}/saved-views/due", json={"query": "standing=at_risk"}))
    park.words.update(
        {
            "load_request": codes,
            "attachment": [document["attachment"]["attachment"]],
            "token": [calendar["path"].rpartition("/")[2].removesuffix(".ics")],
        }
    )


def secrets_in(folder: Path) -> Path:
    """A folder with the secret that signs what the webhook is sent."""
    folder.mkdir()
    (folder / "office").write_bytes(SECRET + b"\n")
    return folder


def _opened(client: httpx.Client, details: Mapping[str, Any]) -> str:
    return _entered(client.post(f"{API}/load-requests", json={"details": details}))["request"]["code"]


def _entered(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()
