"""Settings of an uplink to the online monitoring of key energy users (重点用能单位能耗在线监测, NECC-NHJC).

The platforms of the provinces were built by several hands and contradict one another in details; each contradiction
is a key here with both readings. Which of them holds is the province's to say. Secrets lie in files that are named.
"""

from collections import Counter
from datetime import time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from smartpark.periods import Grain
from smartpark.tomlfile import StrictModel
from smartpark.uplinks import Delivery, Source, UplinkHead
from smartpark.webhooks import is_loopback_name


def checked_address(url: str) -> str:
    """Address that may be spoken to; `ValueError` where it is not https, or carries a password."""
    parts = urlsplit(url)
    if not parts.hostname or not (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback_name(parts.hostname))
    ):
        raise ValueError(f"{url!r} is not https://host/path; http is for this very machine only")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address carries no user or password")
    if parts.port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} is no address as it is sent: a name as xn--…, other signs as %E8…")
    return url


Address = Annotated[str, AfterValidator(checked_address)]


class StatType(StrEnum):
    """``statType``: what a value is about."""

    REAL_TIME = "real_time"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


STAT_TYPE_NUMBER = {StatType.REAL_TIME: 0, StatType.DAY: 1, StatType.MONTH: 2, StatType.YEAR: 3}
GRAINS = {
    StatType.REAL_TIME: Grain.HOUR,
    StatType.DAY: Grain.DAY,
    StatType.MONTH: Grain.MONTH,
    StatType.YEAR: Grain.YEAR,
}
"""Real-time values are those of the hours: the shortest period for which numbers are published."""


class ValidWords(StrEnum):
    """How ``valid`` is written: the sample of the protocol and its table of fields contradict each other."""

    BOOLEAN = "boolean"
    """true: valid, false: not."""
    ZERO_IS_VALID = "zero_is_valid"
    """0: valid, 1: not."""


class StatDate(StrEnum):
    """Which end of the period ``statDate`` names."""

    START = "start"
    END = "end"


class ValueForm(StrEnum):
    """How ``dataValue`` is written."""

    NUMBER = "number"
    TEXT = "text"


class CipherMethod(StrEnum):
    """How values are encrypted. The field's choice, not ours: ECB shows which values are alike."""

    NONE = "none"
    AES_128_ECB = "aes-128-ecb"
    SM4_ECB = "sm4-ecb"


class KeyFrom(StrEnum):
    """Where the key comes from."""

    FILE = "file"
    REGISTRATION = "registration"


class KeyForm(StrEnum):
    """How a key of 16 bytes is written."""

    TEXT = "text"
    HEX = "hex"
    BASE64 = "base64"


class NhjcHead(UplinkHead):
    """Table ``uplink``."""

    kind: Literal["nhjc"]


class Platform(StrictModel):
    """Table ``platform``: where it is, and who we are there."""

    register_url: Address
    enterprise_code: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]
    """Unified social credit code 统一社会信用代码."""
    region: Annotated[str, Field(pattern=r"^\d{6}(\d{6})?$")]
    """Code of the region, GB/T 2260."""
    hosts: tuple[str, ...] = ()
    """Hosts besides that of `register_url` to which the platform may send us."""
    upload_url: Address | None = None
    """Where it differs from the ``centerDataURL`` of the registration."""
    upload_time: time | None = None
    """Where it differs from the ``uploadTime`` of the registration; local time."""
    ca_file: Path | None = None
    """Authority of the platform's certificate; none: those of the system. It is always verified."""
    proxy: Address | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    dictionary_every_h: Annotated[float, Field(gt=0, le=24 * 31)] = 24.0
    """How often the version of the dictionary is asked for."""
    dictionary_version_key: Annotated[str, Field(min_length=1)] = "version"
    """Under which key the answer has it."""

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Hosts that may be spoken to."""
        return frozenset({urlsplit(self.register_url).hostname or "", *self.hosts})


class Form(StrictModel):
    """Table ``form``: how values are written."""

    valid: ValidWords
    stat_date: StatDate = StatDate.START
    value: ValueForm = ValueForm.NUMBER


class Encryption(StrictModel):
    """Table ``encryption``: of each JSON value, into hex."""

    method: CipherMethod = CipherMethod.NONE
    key_from: KeyFrom = KeyFrom.FILE
    key_file: Path | None = None
    """Holds the key; with ``key_from = "registration"`` it is written when the platform says one."""
    key_form: KeyForm = KeyForm.TEXT
    registration: bool = False
    """Whether the questions before the upload are encrypted too; only with a key of a file."""

    @model_validator(mode="after")
    def _has_key(self) -> "Encryption":
        if self.method is CipherMethod.NONE:
            return self
        if self.key_file is None:
            raise ValueError("values are encrypted with a key; key_file says where it lies")
        if self.registration and self.key_from is KeyFrom.REGISTRATION:
            raise ValueError("registration cannot be encrypted with the key that it brings")
        return self


class Below(StrEnum):
    """What becomes of a value that is not complete enough."""

    WITHHOLD = "withhold"
    INVALID = "invalid"
    """It is told, as not valid."""
    TELL = "tell"


class Quality(StrictModel):
    """Table ``quality``: what is good enough to be told."""

    least_completeness: Annotated[float, Field(ge=0, le=1)]
    """Share of a period that must rest on data."""
    below: Below = Below.WITHHOLD


class Item(Source):
    """Table ``item``: a published series, and what the platform calls it."""

    data_code: Annotated[
        str, Field(pattern=r"^[0-9A-Za-z]{2}-[0-9A-Za-z]{2}-[0-9A-Za-z]{4}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}$")
    ]
    """Process, unit, equipment, object, purpose: ``00-00-0000-023300-11``."""
    stat_type: StatType
    input_type: Annotated[int, Field(ge=1, le=5)] = 4
    """1 information system, 2 production monitoring, 3 DCS, 4 meter, 5 by hand."""
    scope: Annotated[int, Field(ge=1, le=4)] = 1
    """1 whole enterprise, 2 process, 3 process unit, 4 key equipment."""
    scale: Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] = Decimal(1)
    """Platform's unit per unit of the indicator: 0.0001 from kWh to 10^4 kWh."""
    decimals: Annotated[int, Field(ge=0, le=12)]
    """Digits behind the point that are told."""

    @property
    def key(self) -> str:
        """Of the queue: one code may be told by hour, day and month."""
        return f"{self.stat_type}:{self.data_code}"

    @model_validator(mode="after")
    def _grain_fits(self) -> "Item":
        wanted = GRAINS[self.stat_type]
        if self.grain is not wanted:
            raise ValueError(f"stat_type {self.stat_type} is told from grain {wanted}, not {self.grain}")
        return self


class NhjcSettings(StrictModel):
    """A whole file."""

    uplink: NhjcHead
    delivery: Delivery
    platform: Platform
    form: Form
    encryption: Encryption = Encryption()
    quality: Quality
    item: Annotated[tuple[Item, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _every_item_once(self) -> "NhjcSettings":
        twice = [key for key, times in Counter(item.key for item in self.item).items() if times > 1]
        if twice:
            raise ValueError(f"item: more than one series is told as {', '.join(twice)}")
        return self
