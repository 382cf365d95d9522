"""Alerts in the format of Alertmanager's ``POST /api/v2/alerts``, for who already routes everything there.

Alertmanager forgets an alert that it does not hear of again, so what fires is told again and again (`REPEAT`), each
time with an end that lies ahead; what is over is told with its end. It recognises alerts by their labels: telling one
twice does no harm.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from smartpark.webhooks import WebhookRefusedError, encoded, post

from smartpark_ingest.alerting.notify.message import Address, NotTakenError, RefusedError

PATH: Final = "/api/v2/alerts"
REPEAT: Final = timedelta(minutes=1)
LASTS: Final = timedelta(minutes=4)
"""How long Alertmanager believes that an alert fires, when it hears no more of it; several repetitions may fail."""


def push(
    items: Iterable[Mapping[str, Any]],
    address: Address,
    now: datetime,
    *,
    console: str | None,
    may_be_private: bool = False,
) -> None:
    """Tell an Alertmanager of some alerts, each as its facts say."""
    alerts = [alert_of(item, now, console) for item in items]
    url = address.target.rstrip("/").removesuffix(PATH) + PATH
    headers = {"Authorization": f"Bearer {address.secret}"} if address.secret else {}
    try:
        answer = post(url, encoded(alerts), headers, may_be_private=may_be_private)
    except WebhookRefusedError as error:
        raise NotTakenError(address.hidden_in(str(error))) from None
    if answer.status == 400:
        said = answer.body.decode(errors="replace")[:200]
        raise RefusedError(address.hidden_in(f"Alertmanager {answer.detail}: {said}"))
    if answer.status != 200:
        raise NotTakenError(address.hidden_in(answer.detail))


def alert_of(item: Mapping[str, Any], now: datetime, console: str | None) -> dict[str, Any]:
    """One alert: labels say which, annotations what. Of another severity, it is another one there."""
    labels = {
        "alertname": item["rule"],
        "object": item["object"],
        "park": item["park"],
        "device": item["device"],
        "severity": item["severity"],
        "cause": item["cause"],
        "alert": str(item["alert"]),
        "source": "smartpark",
    }
    last, worst = item["last"], item["worst"]
    annotations = {
        "summary": item["name_en"],
        "summary_zh": item["name"],
        "object_name": item["object_name"],
        "description": item["advice_en"],
        "description_zh": item["advice"],
        "value": last["value"],
        "worst": worst["value"],
        "limit": last["limit"],
        "unit": last["unit"],
    }
    over = item["over"] or (item["as_of"] if item["ended_by"] is not None else None)
    found: dict[str, Any] = {
        "labels": {name: str(value) for name, value in labels.items() if value not in (None, "")},
        "annotations": {name: str(value) for name, value in annotations.items() if value not in (None, "")},
        "startsAt": item["since"],
        "endsAt": over if over is not None else (now + LASTS).isoformat(),
    }
    if console is not None:
        found["generatorURL"] = f"{console.rstrip('/')}/alerts/{item['alert']}"
    return found
