"""A served instance with something of everything in it, for tests of what the OpenAPI document promises.

Two parks (`testpark` with readings and indicators, `netpark` with a network and its loads), the desk with people, two
load requests, documents, links, a calendar and a webhook; entered as people and programs enter it: the desk's part
over HTTP, the rest by storage's own functions. Its words are the names that lead to it, for a
program that tries everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from fix_api import NOON, PARK_FILE, ParkHand, edge_status
from inbox_hand import SILENT, STALE, InboxHand
from smartpark.access import Grant, Role
from smartpark.catalogue import load_catalogue
from smartpark_storage import DeadReason, connect
from smartpark_storage.access import SecretKind, add_client, add_grant, make_secret
from smartpark_storage.aggregates import number_publications

NETPARK: Final = Path(__file__).parent / "data" / "planning_park.toml"
WEEKS: Final = 2
API: Final = "/api/v1"
CHEN: Final = {"Smartpark-Actor": "chen"}
SECRET: Final = b"0123456789abcdef0123456789abcdef"
POWER: Final = "testpark/M0/active_power"
PDF: Final = b"%PDF-1.7\n1 0 obj << >> endobj\n%%EOF\n"
EVERYWHERE: Final[dict[str, list[Any]]] = {
    "path.code": ["testpark", "netpark"],
    "path.person": ["chen", "lin", "zhao"],
    "path.valid_from": ["2026-01-01", "2027-01-01"],
    "query.park": ["testpark", "netpark"],
    "query.indicator": ["electricity_consumption", "carbon_location"],
    "query.boundary": ["park", "device/M0", "enterprise/T01"],
    "query.period": ["2026-11", "2026-11-21", "2026-11-22T10", "2026"],
    "query.month": ["2026-11", "2026-10"],
    "query.from": ["2026-11-22T00:00:00+08:00", "2026-10-01T00:00:00+08:00"],
    "query.to": ["2026-11-22T12:00:00+08:00", "2026-12-01T00:00:00+08:00"],
    "query.device": ["M0", "T01"],
    "query.entity": ["park"],
    "query.manager": ["chen", "lin"],
    "query.node": ["transformer/TR1", "feeder/F1"],
    "body.manager": ["chen", "lin"],
    "body.person": ["chen", "lin"],
    "body.park": ["testpark"],
    "body.details.park": ["testpark", "netpark"],
    "body.secret_ref": ["office"],
    "body.url": ["https://127.0.0.1:9/hook"],
    "body.figures[*].kind": ["output", "value_added", "product_output", "energy_budget_tce"],
    "body.figures[*].period": ["2026-05", "2026Q2", "2026"],
    "body.figures[*].entity": ["park"],
    "body.figures[*].price_basis": ["current", "constant-2025"],
}
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
    headers: Mapping[str, str] = field(default_factory=dict)
    """That prove who asks: a program that may do everything. Empty: the server trusts its machine."""
    actor: Mapping[str, str] = field(default_factory=dict)
    """That say who acts, where nobody has proved it."""
    words: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    """What leads somewhere, by part of the addresses (empty: everywhere) and parameter (``path.code`` …)."""

    own: tuple[str, ...] = ()
    """The program's own name, key and grant, which it had better leave alone."""

    def client(self) -> httpx.Client:
        """Somebody who may do everything."""
        return httpx.Client(base_url=self.address, headers={**self.headers, **self.actor}, timeout=60)


def key_of_an_administrator(dsn: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Header with the key of a new program that may do everything, and what not to take away from it."""
    with connect(dsn, application="test") as connection:
        add_client(connection, "tester", title="Tester", contact="", by="test", at=NOON)
        grant = add_grant(connection, "client:tester", Grant(Role.ADMINISTRATOR, None), by="test", at=NOON)
        until = NOON + timedelta(days=365)
        made = make_secret(connection, "tester", SecretKind.API_KEY, by="test", at=NOON, expires_at=until)
        connection.commit()
    return {"Authorization": f"Bearer {made.text}"}, ("tester", made.secret_id, str(grant))


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
    for park in ("testpark", "netpark"):
        october = NOON.replace(month=9, day=30, hour=16)
        hand.indicator("electricity_consumption", october, 1e6, unit="kWh", grain="month", park=park)
    with connect(dsn, application="test") as connection:
        number_publications(connection, wait=True)
        connection.commit()
    hand.hear(edge_status("edge-a", at=NOON), at=NOON)
    inbox = InboxHand(dsn)
    inbox.rules()
    inbox.fires()
    inbox.fires("point:testpark/T01/active_power", device="testpark/T01", rule=STALE, value=None)
    inbox.fires("edge:edge-a", device=None, rule=SILENT, value=None)


def fill_desk(park: OpenPark) -> None:
    """What people enter, over HTTP; adds the names of what was made to the words."""
    with park.client() as client:
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
        if park.actor:
            _entered(client.put(f"{API}/saved-views/due", json={"query": "standing=at_risk"}))
        october = {"park": "testpark", "period": "2026-10", "accept_incomplete": True}
        sealed = _entered(client.post(f"{API}/submissions", json=october))
        silence = {"park": "testpark", "ends_at": "2026-11-30T00:00:00+08:00", "reason": "yearly inspection"}
        _entered(client.post(f"{API}/alerts/silences", json=silence))
        puller = {"client": "puller", "title": "A province", "contact": ""}
        _entered(client.post(f"{API}/access/clients", json=puller))
        key = _entered(client.post(f"{API}/access/clients/puller/keys", json={"days": 30}))
        role = {"client": "puller", "role": "province", "park": "testpark"}
        grant = _entered(client.post(f"{API}/access/grants", json=role))
    names = ["chen", "lin"] if park.actor else ["client:tester"]
    park.words[""] = EVERYWHERE | {"header.Smartpark-Actor": names}
    park.words["/points"] = {"path.key": [POWER, "netpark/M1/active_energy_import"]}
    park.words["/(headroom|capacity-simulation)"] = {"query.from": ["2027-03", "2027-03-15"]}
    park.words["/load-requests"] = {
        "path.code": codes,
        "path.attachment": [document["attachment"]["attachment"]],
        "path.link_id": [1, 2],
        "header.If-Match": [f'"{version}"' for version in range(1, 8)],
        "body.requests[*].code": codes,
        "query.after": codes,
    }
    park.words["/calendars"] = {
        "path.token": [calendar["path"].rpartition("/")[2].removesuffix(".ics")],
        "path.link_id": [1, 2],
    }
    park.words["/load-requests/kpis"] = {"query.from": ["2026-01-01"], "query.to": ["2026-12-01"]}
    park.words["/load-requests/.*/attachments"] = {
        "query.name": ["a.pdf", "b.txt"],
        "query.kind": ["licence", "other"],
    }
    park.words["/submissions"] = {
        "path.park": ["testpark"],
        "path.period": ["2026-10"],
        "path.sequence": [1],
        "path.key_id": [sealed["key_id"]],
    }
    park.words["/access"] = {
        "path.client": ["puller"],
        "path.key": [key["key"]],
        "path.grant": [grant["grant"]],
        "body.client": ["puller"],
    }
    park.words["/webhooks"] = {"path.name": ["office"]}
    park.words["/saved-views"] = {"path.name": ["due"]}
    park.words["/alerts"] = {
        "path.alert": [1, 2, 3],
        "path.silence": [1],
        "path.rule": ["demand-high", "meter-silent"],
        "header.If-Match": [f'"{version}"' for version in range(1, 6)],
        "body.to": ["chen", "lin"],
        "query.object": ["point:testpark/M0/active_power"],
    }


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
