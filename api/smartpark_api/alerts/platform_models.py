"""What Grafana's webhook says, as far as we read it, and what we say of the platform's own alerts."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from smartpark.alerts.words import Severity

from smartpark_api.models.base import Answer, Instant

MOST_ALERTS: Final = 100
"""Taken at once; the contact point that comes with the platform sends no more."""
_MOST_PAIRS: Final = 64
_FIRST_YEAR, _LAST_YEAR = 2000, 2199

Name = Annotated[str, Field(min_length=1, max_length=256)]
Text = Annotated[str, Field(max_length=20_000)]
Pairs = Annotated[dict[Name, Text], Field(max_length=_MOST_PAIRS)]


def _of_our_time(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"a moment of the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class Told(BaseModel):
    """Base of what another program tells: each field that we read is held to its type.

    Those that newer versions of it add are passed over, for an update of Grafana must not make the platform deaf.
    """

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class GrafanaAlert(Told):
    """One alert in Grafana's message."""

    status: Literal["firing", "resolved"]
    fingerprint: Annotated[str, Field(pattern="^[0-9A-Za-z_-]{1,128}$", description="The same for the same labels.")]
    labels: Pairs
    annotations: Pairs | None = None
    starts_at: Annotated[Moment, Field(alias="startsAt")]
    ends_at: Annotated[
        AwareDatetime | None, Field(alias="endsAt", description="Of one that fires it says nothing.")
    ] = None
    values: Annotated[dict[Name, float | None] | None, Field(max_length=_MOST_PAIRS)] = None


class GrafanaMessage(Told):
    """A message of a webhook contact point of Grafana, with its own payload and no other."""

    version: Annotated[Literal["1"], Field(description="Of the payload.")]
    status: Literal["firing", "resolved"]
    alerts: Annotated[list[GrafanaAlert], Field(min_length=1, max_length=MOST_ALERTS)]
    truncated_alerts: Annotated[
        int | None, Field(alias="truncatedAlerts", ge=0, description="Left out by Grafana.")
    ] = None


MESSAGE_EXAMPLE: Final[dict[str, Any]] = {
    "receiver": "smartpark",
    "status": "firing",
    "version": "1",
    "orgId": 1,
    "groupKey": '{}:{alertname="平台：网关缓存将满"}',
    "truncatedAlerts": 0,
    "alerts": [
        {
            "status": "firing",
            "fingerprint": "c6eadffa33fcdf37",
            "labels": {
                "alertname": "平台：网关缓存将满",
                "grafana_folder": "平台监控",
                "agent": "edge-a",
                "rule": "platform-spool-filling",
                "severity": "critical",
            },
            "annotations": {
                "summary": "平台：网关缓存将满",
                "summary_en": "Platform: an agent's spool fills up",
                "unit": "%",
            },
            "startsAt": "2026-11-23T13:51:03.157076512+08:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "values": {"A": 87.5, "C": 1},
        }
    ],
}


class PlatformAlertsTaken(Answer):
    """What became of a message."""

    taken: Annotated[int, Field(description="Alerts in it; all are on record.", examples=[1])]
    messages: Annotated[int, Field(description="To people, planned by it; told again, none.", examples=[2])]


class PlatformAlertOut(Answer):
    """One event of the platform itself."""

    platform_alert: Annotated[int, Field(examples=[3])]
    rule: Annotated[str, Field(examples=["platform-spool-filling"])]
    severity: Severity
    title: str
    title_en: str
    advice: str
    advice_en: str
    about: Annotated[dict[str, str], Field(description="Which thing it is.", examples=[{"agent": "edge-a"}])]
    starts_at: Instant
    ends_at: Annotated[Instant | None, Field(description="Null: it holds, by what was told last.")]
    value: Annotated[float | None, Field(examples=[87.5])]
    unit: Annotated[str, Field(examples=["%"])]
    heard_at: Annotated[Instant, Field(description="When the monitor last said so.")]
    is_heard: Annotated[
        bool, Field(description="Of one that holds: whether the monitor has said so within three hours.")
    ]
    told_at: Annotated[Instant | None, Field(description="When people were told; null: nobody was to be.")]
    told_to: Annotated[list[str], Field(description="Contacts that were told.", examples=[["duty"]])]


class PlatformAlertList(Answer):
    """Events of the platform itself, those that hold first."""

    as_of: Instant
    alerts: list[PlatformAlertOut]
