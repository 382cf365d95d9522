"""What an agent is told: a TOML file, read into frozen models, every problem of it at once with file and key.

The file holds addresses, topics and points; passwords stand in files or environment variables that it names. What
needs a look outside the one file (models, duplicates, readable passwords) is in `check`.
"""

from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator
from smartpark.broker import BrokerAddress
from smartpark.catalogue import Code, Resolution
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel, load_model

from smartpark_edge.choices import OpcUaMode, OpcUaSecurity, Protocol, WhenFull
from smartpark_edge.device_models import JsonPath, Scale


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; write one such as Asia/Shanghai") from None
    return name


def _device_key(text: str) -> str:
    if text.count("/") != 1 or not all(text.split("/")):
        raise ValueError(f"{text!r} is not park/device")
    return text


def _point_key(text: str) -> str:
    if text.count("/") != 2 or not all(text.split("/")):
        raise ValueError(f"{text!r} is not park/device/point")
    return text


def _topic(text: str) -> str:
    if not text or "+" in text or "#" in text or "\0" in text:
        raise ValueError(f"{text!r} is not one topic; wildcards are not allowed, name each device")
    return text


def _opcua_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "opc.tcp" or not parts.hostname:
        raise ValueError(f"{url!r} is not an OPC UA address; write opc.tcp://host:4840/path")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in a URL; use username and password_file or password_env")
    return url


ZoneName = Annotated[str, AfterValidator(_zone)]
DeviceKey = Annotated[str, AfterValidator(_device_key)]
PointKey = Annotated[str, AfterValidator(_point_key)]
Topic = Annotated[str, AfterValidator(_topic)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Edge(StrictModel):
    """The agent itself."""

    code: Code
    spool: Path
    spool_limit_mb: Annotated[float, Field(gt=0, le=1_000_000)] = 256.0
    when_full: WhenFull = WhenFull.DROP_OLDEST
    history_after_s: Seconds = 300.0
    """A reading older than this when it comes in is a logger's history: late by nature, behind live data."""
    memory_per_point: Annotated[int, Field(ge=16, le=1_000_000)] = 2_048
    """Readings per point by which repeated ones are recognised."""

    @property
    def spool_limit_bytes(self) -> int:
        """The limit in bytes (1 MB = 1,000,000)."""
        return round(self.spool_limit_mb * 1_000_000)


class Publish(StrictModel):
    """How batches go to the platform."""

    max_readings: Annotated[int, Field(ge=1, le=50_000)] = 2_000
    max_delay_s: Annotated[float, Field(ge=0.01, le=60)] = 1.0
    backfill_readings_per_second: Annotated[int, Field(ge=1)] = 50_000
    live_for_s: Seconds = 30.0
    """A batch that waited longer in the spool is backlog."""
    in_flight: Annotated[int, Field(ge=2, le=1_000)] = 32
    """Batches under way, unacknowledged by ingest."""
    ack_timeout_s: Annotated[float, Field(ge=0.1, le=3_600)] = 10.0
    status_every_s: Annotated[float, Field(ge=0.1, le=3_600)] = 5.0
    deflate: bool = False
    """Compress batches: for thin lines."""
    protocol: Protocol = Protocol.V311


class MqttDevice(StrictModel):
    """A device that speaks on a broker."""

    topic: Topic
    """Its topic, or the part that its topics begin with, as the model says."""
    model: Code
    device: DeviceKey
    time_zone: ZoneName | None = None
    """Where it differs from the source's."""
    points: tuple[Code, ...] | None = None
    """Points to take; none: all that the model has."""
    resolutions: dict[Code, Resolution] = Field(default_factory=dict)
    measurands: dict[Code, Measurand] = Field(default_factory=dict)
    """Generic JSON: measurands of keys that are not named like one."""
    select: dict[JsonPath, str] = Field(default_factory=dict)
    """Keys that must have these values, where several devices share a topic."""


class MqttSource(BrokerAddress):
    """A broker that devices speak on."""

    name: Code
    protocol: Protocol = Protocol.V311
    time_zone: ZoneName = "Asia/Shanghai"
    """Of devices that give local time without offset."""
    session_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 86_400
    """How long the broker shall keep what comes while the agent is away (MQTT 5; with 3.1.1 it decides itself)."""
    device: Annotated[tuple[MqttDevice, ...], Field(min_length=1)]


class OpcUaPoint(StrictModel):
    """A node and the point it feeds."""

    node: Annotated[str, Field(min_length=3)]
    """``nsu=<namespace URI>;s=...`` (or ``i=``, ``g=``, ``b=``); the index is looked up in each session."""
    point: PointKey
    measurand: Measurand | None = None
    """Where the point's code is not the name of its measurand."""
    resolution: Resolution | None = None
    """Step of the value; none: float64."""
    scale: Scale | float = "1"
    negate: bool = False

    @model_validator(mode="after")
    def _has_a_measurand(self) -> "OpcUaPoint":
        code = self.point.rsplit("/", 1)[1]
        if self.measurand is None and code not in {measurand.value for measurand in Measurand}:
            raise ValueError(f"{code!r} is no measurand; say which one it is with measurand = ...")
        return self

    @property
    def meaning(self) -> Measurand:
        """What it measures."""
        return self.measurand or Measurand(self.point.rsplit("/", 1)[1])


class OpcUaSource(StrictModel):
    """An OPC UA server."""

    name: Code
    url: Annotated[str, AfterValidator(_opcua_url)]
    security: OpcUaSecurity = OpcUaSecurity.NONE
    certificate: Path | None = None
    """Of this agent, with its application URI."""
    private_key: Path | None = None
    trust_store: Path | None = None
    """Folder with the certificates of servers (or of who signs them) that are trusted."""
    application_uri: str = "urn:smartpark:edge"
    username: str | None = None
    password_file: Path | None = None
    password_env: str | None = None
    mode: OpcUaMode = OpcUaMode.SUBSCRIBE
    sampling_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 1_000
    publishing_ms: Annotated[int, Field(ge=10, le=3_600_000)] = 1_000
    queue_size: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Values that the server keeps per node between publications; none: twice what sampling needs, at least 10."""
    poll_s: Seconds = 1.0
    point: Annotated[tuple[OpcUaPoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> "OpcUaSource":
        secured = self.security is not OpcUaSecurity.NONE
        if secured and not (self.certificate and self.private_key and self.trust_store):
            raise ValueError(f"security {self.security.value!r} needs certificate, private_key and trust_store")
        if self.username is not None and not secured:
            raise ValueError('a password on security "none" would go over the wire in clear; choose a policy')
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("give password_file or password_env, not both")
        if (self.password_file or self.password_env) and self.username is None:
            raise ValueError("a password needs a username")
        return self

    @property
    def server_queue(self) -> int:
        """Values per node that the server shall keep."""
        return self.queue_size or max(10, -(-2 * self.publishing_ms // self.sampling_ms))


class Settings(StrictModel):
    """One agent."""

    edge: Edge
    broker: BrokerAddress
    publish: Publish = Publish()
    mqtt: tuple[MqttSource, ...] = ()
    opcua: tuple[OpcUaSource, ...] = ()

    @model_validator(mode="after")
    def _hears_something(self) -> "Settings":
        if not self.mqtt and not self.opcua:
            raise ValueError("no [[mqtt]] and no [[opcua]]: there is nothing to listen to")
        return self


def load_settings(path: Path) -> Settings:
    """Read a file; relative paths in it are taken from its folder."""
    return anchored(load_model(path, Settings), path.parent.absolute())


Part = TypeVar("Part", bound=StrictModel)
_PATHS = ("password_file", "ca_file", "cert_file", "key_file", "certificate", "private_key", "trust_store", "spool")


def anchored(settings: Settings, folder: Path) -> Settings:
    """The same settings with absolute paths."""
    return settings.model_copy(
        update={
            "edge": _anchor(settings.edge, folder),
            "broker": _anchor(settings.broker, folder),
            "mqtt": tuple(_anchor(source, folder) for source in settings.mqtt),
            "opcua": tuple(_anchor(source, folder) for source in settings.opcua),
        }
    )


def _anchor(part: Part, folder: Path) -> Part:
    given = {name: getattr(part, name, None) for name in _PATHS}
    return part.model_copy(update={name: folder / value for name, value in given.items() if value is not None})
