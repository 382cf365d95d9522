"""What a station answers to a platform's commands: what it is asked, and nothing that is set from afar.

Questions for time and intervals are answered. The clock, intervals, waits and passwords are those of the installation
and its settings: a command to change them is refused in the standard's words, and so is one to move an instrument.
Data of the past may be asked for; whoever has the data sends them and says the result.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

from smartpark.uplinks.hj212 import Hj212Error
from smartpark.uplinks.hj212_segments import (
    ANSWERS,
    HEARTBEAT,
    NOTICE_ANSWER,
    REQUEST_ANSWER,
    RESULT,
    Flag,
    Item,
    Packet,
    answer,
    data_time,
    moment_of,
)
from smartpark.uplinks.hj212_settings import COMMANDS, Data, SetTime

ASK_TIME, SET_TIME = "1011", "1012"
ASK_REAL_TIME_INTERVAL, ASK_MINUTE_INTERVAL = "1061", "1063"
STOP_REAL_TIME: Final = "2012"
NOTICES: Final = frozenset({STOP_REAL_TIME, "2022"})


class RequestAnswer(IntEnum):
    """``QnRtn``: HJ 212-2017, table 7."""

    READY = 1
    REFUSED = 2
    WRONG_PASSWORD = 3
    WRONG_MN = 4
    WRONG_COMMAND = 8


class Result(IntEnum):
    """``ExeRtn``: HJ 212-2017, table 6."""

    DONE = 1
    CONDITIONS_NOT_MET = 3
    NO_DATA = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Data of the past that a platform wants."""

    data: Data
    start: datetime
    last: datetime
    """Start of the last period, inclusive."""
    request: Packet


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a command brings about."""

    packets: tuple[Packet, ...] = ()
    """To be sent, in this order; none wants an answer."""
    real_time: bool | None = None
    """Whether real-time data are wanted from now on; None: as before."""
    asked: Asked | None = None
    platform_time: datetime | None = None
    """Time to which the platform wanted to set us."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a station is, and how it is set."""

    mn: str
    st: str
    pw: str = field(repr=False)
    version: int
    tells: tuple[Data, ...]
    real_time_s: float
    minutes: int
    set_time: SetTime


def reaction_to(packet: Packet, me: Identity, now: datetime) -> Reaction:
    """What is to be done about something that a platform sent on its own."""
    if packet.cn in ANSWERS or packet.cn == HEARTBEAT:
        return Reaction()
    if packet.mn is not None and packet.mn != me.mn:
        return _refused(packet, me, RequestAnswer.WRONG_MN)
    if packet.pw is not None and packet.pw != me.pw:
        return _refused(packet, me, RequestAnswer.WRONG_PASSWORD)
    if packet.cn in NOTICES:
        stop = False if packet.cn == STOP_REAL_TIME else None
        return Reaction((_answer(packet, me, NOTICE_ANSWER),), real_time=stop)
    return _reaction_to_request(packet, me, now)


def _reaction_to_request(packet: Packet, me: Identity, now: datetime) -> Reaction:
    if packet.cn == SET_TIME:
        return _time_is_not_set(packet, me)
    if packet.cn in {ASK_TIME, ASK_REAL_TIME_INTERVAL, ASK_MINUTE_INTERVAL}:
        return Reaction(_said(packet, me, now))
    data = next((data for data, command in COMMANDS.items() if command == packet.cn), None)
    if data is not None:
        return _data_wanted(packet, me, data)
    is_of_the_standard = packet.cn.isdigit() and packet.cn[0] in "123"
    return _refused(packet, me, RequestAnswer.REFUSED if is_of_the_standard else RequestAnswer.WRONG_COMMAND)


def result_of(asked: Asked, me: Identity, *, sent: int) -> Packet:
    """End of sending data of the past."""
    return _code(asked.request, me, RESULT, "ExeRtn", Result.DONE if sent else Result.NO_DATA)


def _said(packet: Packet, me: Identity, now: datetime) -> tuple[Packet, ...]:
    """Answer, value, result."""
    factor = packet.value("PolId")
    items: list[Item] = [] if factor is None else [(("PolId", factor),)]
    if packet.cn == ASK_TIME:
        items.append((("SystemTime", data_time(now)),))
    elif packet.cn == ASK_REAL_TIME_INTERVAL:
        items.append((("RtdInterval", f"{me.real_time_s:.0f}"),))
    else:
        items.append((("MinInterval", str(me.minutes)),))
    value = Packet(packet.qn, me.st, packet.cn, me.pw, me.mn, Flag(me.version), tuple(items))
    return (
        _code(packet, me, REQUEST_ANSWER, "QnRtn", RequestAnswer.READY),
        value,
        _code(packet, me, RESULT, "ExeRtn", Result.DONE),
    )


def _time_is_not_set(packet: Packet, me: Identity) -> Reaction:
    try:
        wanted = moment_of(packet.value("SystemTime") or "")
    except Hj212Error:
        wanted = None
    if me.set_time is SetTime.REFUSE:
        refusal = _refused(packet, me, RequestAnswer.REFUSED).packets
    else:
        refusal = (
            _code(packet, me, REQUEST_ANSWER, "QnRtn", RequestAnswer.READY),
            _code(packet, me, RESULT, "ExeRtn", Result.CONDITIONS_NOT_MET),
        )
    return Reaction(refusal, platform_time=wanted)


def _data_wanted(packet: Packet, me: Identity, data: Data) -> Reaction:
    if data not in me.tells:
        return _refused(packet, me, RequestAnswer.REFUSED)
    ready = _code(packet, me, REQUEST_ANSWER, "QnRtn", RequestAnswer.READY)
    if data is Data.REAL_TIME:
        return Reaction((ready, _code(packet, me, RESULT, "ExeRtn", Result.DONE)), real_time=True)
    try:
        start, last = (moment_of(packet.value(name) or "") for name in ("BeginTime", "EndTime"))
    except Hj212Error:
        return _refused(packet, me, RequestAnswer.REFUSED)
    return Reaction((ready,), asked=Asked(data, start, last, packet))


def _refused(packet: Packet, me: Identity, why: RequestAnswer) -> Reaction:
    return Reaction((_code(packet, me, REQUEST_ANSWER, "QnRtn", why),))


def _code(packet: Packet, me: Identity, command: str, name: str, code: int) -> Packet:
    return _answer(packet, me, command, ((name, str(int(code))),))


def _answer(packet: Packet, me: Identity, command: str, *items: Item) -> Packet:
    found = answer(packet, command, items)
    # Whatever the platform took us for, we answer as ourselves.
    return Packet(found.qn, found.st, found.cn, me.pw, me.mn, Flag(me.version), found.items)
