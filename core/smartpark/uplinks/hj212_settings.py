"""Settings of an uplink to an environment platform by HJ 212: where it is, how it wants to be told, which stations.

The standard leaves room, and platforms fill it each in their way: what is contradictory in the field is a key here,
with both readings. Limits of an edition stand in the tables; of these settings may only replace the waits.
"""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from smartpark.errors import SmartparkError
from smartpark.tomlfile import StrictModel
from smartpark.uplinks import Delivery, UplinkHead
from smartpark.uplinks.hj212_factors import StationFactor, ToldFactor, told_factor
from smartpark.uplinks.hj212_tables import Edition, hj212_tables

MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
"""Lengths that a minute packet may have: HJ 212-2017, table 4, ``MinInterval``. [min]"""


class Data(StrEnum):
    """What is told of a station."""

    REAL_TIME = "real_time"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


COMMANDS = {Data.REAL_TIME: "2011", Data.MINUTE: "2051", Data.HOUR: "2061", Data.DAY: "2031"}


class DataTime(StrEnum):
    """Which end of its period the ``DataTime`` of a packet names; the standard says the start."""

    START = "start"
    END = "end"


class SplitQn(StrEnum):
    """QN of the parts of a long packet: one each in the standard's examples, one for all on some platforms."""

    EACH = "each"
    SAME = "same"


class SetTime(StrEnum):
    """How a request to set our clock is answered; in no case is it set."""

    REFUSE = "refuse"
    """Request answer 2: refused."""
    FAIL = "fail"
    """Taken (1), and then the result 3: conditions not met. For platforms that take a refusal for a lost station."""


class Missing(StrEnum):
    """What becomes of a value that is not there."""

    FLAG = "flag"
    """Its mark alone is told, without a value."""
    OMIT = "omit"
    """Nothing is told of it."""


class AbnormalFlag(StrEnum):
    """Mark of a period with too little normal data."""

    LETTER = "letter"
    """The most frequent of the marks that are not normal."""
    FAULT = "fault"
    """Always D, as annex C of the edition of 2017 has it for flue gas."""


class Hj212Head(UplinkHead):
    """Table ``uplink``."""

    kind: Literal["hj212"]


class Server(StrictModel):
    """Table ``server``: where the platform listens."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    tls: bool = False
    """The standard knows none, so passwords and data are readable on the way; say true where the platform can."""
    ca_file: Path | None = None
    """Authority of the platform's certificate; none: those of the system. It is always verified."""
    connect_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0


class Protocol(StrictModel):
    """Table ``protocol``: how frames are written and answered."""

    edition: Literal[2017, 2025]
    tolerant: bool = False
    """Take answers with a length of three digits, a CRC in small letters, or without CR LF."""
    split_qn: SplitQn = SplitQn.EACH
    reply_timeout_s: Annotated[float, Field(gt=0, le=99)] | None = None
    """Wait for an answer before a frame is sent again; none: as the edition has it."""
    resends: Annotated[int, Field(ge=0, le=99)] | None = None
    heartbeat_s: Annotated[float, Field(ge=5, le=86_400)] | None = None
    """How often CN 9015 is sent when nothing else is; none: never."""
    marks_late_data: bool | None = None
    """Whether what is told late or again carries ``RF=1``; none: as the edition has it."""
    set_time: SetTime = SetTime.REFUSE

    @property
    def row(self) -> Edition:
        """The edition."""
        return hj212_tables().edition_of(self.edition)

    @property
    def wait_s(self) -> float:
        """Wait for an answer, in seconds."""
        return self.row.reply_timeout_s if self.reply_timeout_s is None else self.reply_timeout_s

    @property
    def attempts(self) -> int:
        """How often a frame is sent before the link counts as lost."""
        return 1 + (self.row.resends if self.resends is None else self.resends)

    @property
    def has_late_mark(self) -> bool:
        """Whether late data are marked."""
        return self.row.marks_late_data if self.marks_late_data is None else self.marks_late_data


class Timing(StrictModel):
    """Table ``timing``: when what is told."""

    real_time_s: Annotated[float, Field(ge=1, le=3_600)] = 60.0
    """Between real-time packets; the standard has 30 to 3600."""
    stale_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """A newest reading that is older counts as missing."""
    minutes: int = 10
    """Length of a minute packet. [min]"""
    minute_grace_s: Annotated[float, Field(ge=0, le=3_600)] = 90.0
    """Wait for readings after a minute packet's end."""
    late_s: Annotated[float, Field(ge=0, le=7 * 86_400)] = 3_600.0
    """What is told later than this after its end is late."""
    minute_time: DataTime = DataTime.START
    hour_time: DataTime = DataTime.START

    @field_validator("minutes")
    @classmethod
    def _known_length(cls, value: int) -> int:
        if value not in MINUTES:
            raise ValueError(f"is one of {', '.join(map(str, MINUTES))}; got {value}")
        return value


class Quality(StrictModel):
    """Table ``quality``: what is told of data that are not as they should be."""

    missing: Missing = Missing.FLAG
    abnormal: AbnormalFlag = AbnormalFlag.LETTER
    over_range_counts: bool = False
    """Whether values above the range (T) count as normal."""
    estimated_totals: bool = False
    """Whether totals are told that rest on substituted hours in part."""


Entries = TypeVar("Entries", bound=tuple[object, ...])


def _some(entries: Entries) -> Entries:
    # pydantic's own least length complains of entries that are there and wrong, too.
    if not entries:
        raise ValueError("there has to be one at least")
    return entries


class Station(StrictModel):
    """Table ``station``: a device of a park, and who it is to the platform."""

    mn: Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,24}$")]
    """Unique code of the device (MN); 24 hexadecimal digits by the standard."""
    park: Annotated[str, Field(min_length=1)]
    device: Annotated[str, Field(min_length=1)]
    st: str
    """System code: 31 stack, 22 air, 32 sewage, 23 noise …"""
    password_file: Path
    """File with the password (PW) alone."""
    tells: tuple[Data, ...] = tuple(Data)
    factor: Annotated[tuple[StationFactor, ...], AfterValidator(_some)]

    @field_validator("st")
    @classmethod
    def _known_system(cls, value: str) -> str:
        try:
            return hj212_tables().system_of(value).code
        except SmartparkError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _factors_fit(self) -> "Station":
        told, found = list[ToldFactor](), list[str]()
        for factor in self.factor:
            try:
                told.append(told_factor(self.st, factor))
            except SmartparkError as error:
                found.append(f"{factor.point}: {error}")
        found += [f"{code} is told of two points" for code in _twice([one.code for one in told])]
        totals = [one.total for one in told if one.total]
        found += [f"{total} is the total of two factors" for total in _twice(totals)]
        if found:
            raise ValueError("; ".join(found))
        return self


class Hj212Settings(StrictModel):
    """A whole file."""

    uplink: Hj212Head
    delivery: Delivery
    server: Server
    protocol: Protocol
    timing: Timing = Timing()
    quality: Quality = Quality()
    station: Annotated[tuple[Station, ...], AfterValidator(_some)]

    @model_validator(mode="after")
    def _each_once(self) -> "Hj212Settings":
        if twice := _twice([one.mn for one in self.station]):
            raise ValueError(f"the MN {', '.join(twice)} stands twice")
        return self


def _twice(codes: list[str]) -> list[str]:
    return [code for code, times in Counter(codes).items() if times > 1]
