"""One example, or several, of every body that the API takes as JSON; a test sees that each is as described.

A route that has none is found by that test, too.
"""

from typing import Any, Final

from smartpark_api.alerts.acting_models import RULE_EXAMPLE
from smartpark_api.alerts.platform_models import MESSAGE_EXAMPLE
from smartpark_api.openapi.operations import Operation

_DETAILS: Final[dict[str, Any]] = {
    "park": "minhou-demo",
    "applicant": "闽侯铝业有限公司",
    "kind": "new_supply",
    "applied_kva": 2000,
    "voltage": "10kv",
    "contact_role": "electrical engineer",
}
_TAX: Final[dict[str, Any]] = {
    "kind": "tax",
    "period": "2026Q2",
    "value": 812.5,
    "source_document": "tax return, 2026-07",
}
_VALUE_ADDED: Final[dict[str, Any]] = {
    "entity": "enterprise/T03",
    "kind": "value_added",
    "period": "2026-05",
    "value": 430,
    "price_basis": "current",
    "source_document": "monthly return",
}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "recordParkFigures": {
        "figures of a quarter and a month": {"entered_by": "Chen", "figures": [_TAX, _VALUE_ADDED]}
    },
    "sealSubmission": {"a month": {"park": "minhou-demo", "period": "2026-10", "note": "monthly return"}},
    "openLoadRequest": {
        "an application": {"details": _DETAILS},
        "a lead": {
            "is_lead": True,
            "at": "2026-11-20T09:00:00+08:00",
            "details": _DETAILS | {"source": "proactive_visit", "probability": 0.5, "wanted_on": "2027-03-01"},
        },
    },
    "assignLoadRequests": {
        "two of them": {
            "manager": "chen",
            "requests": [{"code": "LR-2026-000001", "expected": 2}, {"code": "LR-2026-000002", "expected": 5}],
        }
    },
    "addLoadRequestEvent": {
        "on to the survey": {"body": {"type": "moved", "to": "survey"}, "expected": 2},
        "the customer's turn": {"body": {"type": "handed", "to": "customer", "note": "single-line diagram"}},
        "clocks stand still": {"body": {"type": "suspended", "reason": "documents_missing"}},
        "a scheme": {"body": {"type": "scheme_replied", "approved_kva": 1600, "node": "transformer/TR1"}},
        "taken back": {"body": {"type": "undone", "sequence": 4}},
    },
    "commentLoadRequest": {"for the applicant": {"text": "The survey is on Tuesday.", "is_for_applicant": True}},
    "assignLoadRequest": {"to Chen": {"manager": "chen", "expected": 3}},
    "makeApplicantLink": {"for a month": {"days": 30}},
    "makeCalendar": {"of a person": {"person": "chen"}, "of a park": {"park": "minhou-demo"}},
    "putWebhookOfTheDesk": {
        "some events of a park": {
            "url": "https://example.org/hooks/park",
            "secret_ref": "park-office",
            "park": "minhou-demo",
            "events": ["opened", "moved"],
        }
    },
    "putPersonOfTheDesk": {"somebody": {"name": "陈明", "name_en": "Chen Ming", "email": "chen@example.org"}},
    "putParkManager": {"for a year": {"person": "chen", "valid_to": "2027-01-01"}},
    "putSavedViewOfMine": {"what is late": {"query": "standing=overdue&park=minhou-demo"}},
    "acknowledgeAlert": {"as it was seen": {"expected": 2}},
    "unacknowledgeAlert": {"as it was seen": {"expected": 3}},
    "assignAlert": {"to Chen": {"to": "chen", "expected": 3}, "to nobody": {"to": None, "expected": 4}},
    "snoozeAlert": {"until tomorrow": {"until": "2026-11-24T08:00:00+08:00", "expected": 3}},
    "commentAlert": {"on the way": {"text": "The electrician is on his way."}},
    "resolveAlert": {
        "load was shed": {"resolution": "load_shed", "note": "One compressor is off.", "expected": 4},
        "a false alarm": {"resolution": "false_alarm", "expected": 2},
    },
    "labelAlert": {"it was right": {"label": "true_alarm", "expected": 5}},
    "makeSilence": {
        "planned work": {
            "kind": "maintenance",
            "park": "minhou-demo",
            "matchers": {"devices": ["minhou-demo/T01"]},
            "starts_at": "2026-11-24T08:00:00+08:00",
            "ends_at": "2026-11-24T18:00:00+08:00",
            "reason": "yearly inspection",
        }
    },
    "checkAlertRule": {"a limit": {"rule": RULE_EXAMPLE}},
    "putAlertRule": {
        "a limit": {"rule": RULE_EXAMPLE},
        "changed": {"rule": RULE_EXAMPLE | {"for_s": 60}, "expected": 1},
    },
    "takePlatformAlerts": {"a spool fills up": MESSAGE_EXAMPLE},
    "makeClient": {
        "a platform": {"client": "province", "title": "Provincial platform", "contact": "ops@example.org"}
    },
    "changeClientDetails": {"shut out": {"title": "Provincial platform", "is_disabled": True}},
    "makeKey": {"to pull aggregates": {"kind": "api_key", "days": 365, "scopes": ["parks:read", "aggregates:read"]}},
    "rotateKey": {"a day to change over": {"overlap_hours": 24}},
    "makeGrant": {"a program, one park": {"client": "province", "role": "province", "park": "minhou-demo"}},
}
"""By operation, each under a name."""


def give_examples(operation: Operation) -> None:
    """Add the examples of an operation that takes JSON."""
    content = operation.content.get("requestBody", {}).get("content", {}).get("application/json")
    found = EXAMPLES.get(operation.content["operationId"])
    if content is not None and found is not None:
        content["examples"] = {name: {"value": value} for name, value in found.items()}
