"""Data segments of HJ 212: header and items, read and written; long ones divided; the answers to each.

Values stay text: what a factor measures in which unit is the business of settings and tables. A segment that does not
follow the standard is refused with what is wrong with it; blanks around names are taken, the standard's own samples
have them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.uplinks.hj212 import Hj212Error

Item = tuple[tuple[str, str], ...]
"""Fields of one factor, or one single field: name and value."""

INTERACTION: Final = "91"
"""ST of answers."""
REQUEST_ANSWER, RESULT, NOTICE_ANSWER, DATA_ANSWER, HEARTBEAT = "9011", "9012", "9013", "9014", "9015"
ANSWERS: Final = frozenset({REQUEST_ANSWER, RESULT, NOTICE_ANSWER, DATA_ANSWER})
_NAME: Final = re.compile(r"[^;,&=#\x00-\x20\x7f]+")
_VALUE: Final = re.compile(r"[^;,&=\x00-\x1f\x7f]*")
_MOMENT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{3})?")
_MARK: Final = "&&"
_MOST_FLAG: Final = 255


@dataclass(frozen=True, slots=True)
class Flag:
    """Flag bits: which edition of the standard, whether the packet is one of several, whether an answer is wanted."""

    version: int
    """0 for 2005, 1 for 2017, 2 for 2025."""
    is_split: bool = False
    wants_answer: bool = False

    @property
    def number(self) -> int:
        """As it is sent.

        >>> Flag(1, wants_answer=True).number, Flag(2, wants_answer=True).number
        (5, 9)
        """
        return self.version << 2 | self.is_split << 1 | self.wants_answer

    @classmethod
    def of(cls, number: int) -> "Flag":
        """Flag of a number."""
        return cls(number >> 2, bool(number & 2), bool(number & 1))


@dataclass(frozen=True, slots=True)
class Packet:
    """A data segment, taken apart; what it does not have is None."""

    qn: str | None
    """Which exchange it belongs to: a moment in milliseconds."""
    st: str | None
    cn: str
    pw: str | None = field(repr=False)
    mn: str | None
    flag: Flag | None
    items: tuple[Item, ...] = ()
    pnum: int | None = None
    pno: int | None = None

    def value(self, name: str) -> str | None:
        """Value of the first field of a name."""
        return next((value for item in self.items for key, value in item if key == name), None)


_HEADER: Final = ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO")


def parse_segment(text: str) -> Packet:
    """Take a data segment apart.

    Raises
    ------
    Hj212Error
        Naming the field that is wrong.
    """
    before, mark, rest = text.partition("CP=")
    data = rest.strip()
    if not mark or len(data) < 2 * len(_MARK) or not (data.startswith(_MARK) and data.endswith(_MARK)):
        raise Hj212Error("a data segment has no CP=&&…&&")
    header = _pairs(before, ";")
    names = [name for name, _ in header]
    unknown = sorted(set(names) - set(_HEADER))
    if unknown or len(set(names)) != len(names):
        raise Hj212Error(f"unknown header fields {', '.join(unknown)}" if unknown else "a header field stands twice")
    found = dict(header)
    if "CN" not in found:
        raise Hj212Error("a data segment names no command: CN is missing")
    number = _number(found, "Flag")
    return Packet(
        qn=found.get("QN"),
        st=found.get("ST"),
        cn=found["CN"],
        pw=found.get("PW"),
        mn=found.get("MN"),
        flag=None if number is None else Flag.of(number),
        items=tuple(tuple(_pairs(item, ",")) for item in data[2:-2].split(";") if item.strip()),
        pnum=_number(found, "PNUM"),
        pno=_number(found, "PNO"),
    )


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    pairs = list[tuple[str, str]]()
    for part in text.split(separator):
        name, equals, value = (one.strip() for one in part.partition("="))
        if not name and not equals:
            continue
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            # A password may stand there, so only the name is told.
            raise Hj212Error(f"{name[:24]!r} is no field with a value")
        pairs.append((name, value))
    return pairs


def _number(header: dict[str, str], name: str) -> int | None:
    text = header.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 4 or (name == "Flag" and int(text) > _MOST_FLAG):
        raise Hj212Error(f"{name} is {text[:24]!r}; it is a number")
    return int(text)


def write_segment(packet: Packet) -> str:
    """Text of a data segment.

    Examples
    --------
    >>> write_segment(Packet("20160801085857223", "91", "9014", "123456", "010000A8900016F000169DC0", Flag(1)))
    'QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&'
    """
    header = (
        *(("QN", packet.qn), ("ST", packet.st), ("CN", packet.cn), ("PW", packet.pw), ("MN", packet.mn)),
        ("Flag", None if packet.flag is None else str(packet.flag.number)),
        ("PNUM", None if packet.pnum is None else str(packet.pnum)),
        ("PNO", None if packet.pno is None else str(packet.pno)),
    )
    fields = [(name, value) for name, value in header if value is not None]
    return f"{';'.join(_written(*one) for one in fields)};CP=&&{write_items(packet.items)}&&"


def write_items(items: Iterable[Item]) -> str:
    """Text of the data area, between its marks.

    >>> write_items(((("DataTime", "20261122100000"),), (("a21026-Rtd", "35.2"), ("a21026-Flag", "N"))))
    'DataTime=20261122100000;a21026-Rtd=35.2,a21026-Flag=N'
    """
    return ";".join(",".join(_written(name, value) for name, value in item) for item in items)


def _written(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or value != value.strip():
        raise Hj212Error(f"the value of {name} cannot be written: it has a character that separates fields")
    return f"{name}={value}"


def divided(items: Sequence[Item], *, longest_cp: int) -> list[tuple[Item, ...]]:
    """Items of each packet, so that none is longer than a packet may be; what is of no factor leads each of them.

    Parameters
    ----------
    items : sequence of Item
        ``DataTime``, and what else is of no factor, first.
    longest_cp : int
        Characters of ``CP=&&…&&``, name and marks included.

    References
    ----------
    HJ 212-2017, 6.3.2 (lengths in table 3 include the name), and tables C.49 and C.50 (each part has the time).
    """
    lead = tuple(takewhile(lambda item: "-" not in item[0][0], items))
    parts, room = list[tuple[Item, ...]](), longest_cp - len("CP=&&&&")
    part = lead
    for item in items[len(lead) :]:
        longer = (*part, item)
        if len(write_items(longer).encode()) <= room:
            part = longer
            continue
        if part != lead:
            parts.append(part)
        part = (*lead, item)
        if len(write_items(part).encode()) > room:
            raise Hj212Error(f"the fields of {item[0][0]} alone are longer than {longest_cp} characters")
    return [*parts, part]


def numbered(packet: Packet, parts: Sequence[tuple[Item, ...]], qns: Sequence[str]) -> list[Packet]:
    """Packets of the parts; one alone carries no number."""
    if len(parts) == 1:
        return [replace(packet, items=parts[0], qn=qns[0])]
    flag = replace(packet.flag or Flag(0), is_split=True)
    return [
        replace(packet, items=items, qn=qn, flag=flag, pnum=len(parts), pno=number)
        for number, (items, qn) in enumerate(zip(parts, qns, strict=True), start=1)
    ]


def answer(packet: Packet, command: str, items: Sequence[Item] = ()) -> Packet:
    """Answer to a packet: the same QN, so that the other side knows what it is about."""
    version = packet.flag.version if packet.flag is not None else 0
    return Packet(packet.qn, INTERACTION, command, packet.pw, packet.mn, Flag(version), tuple(items))


def qn_of(moment: datetime) -> str:
    """QN of a moment: China's time in milliseconds.

    >>> from datetime import UTC
    >>> qn_of(datetime(2026, 11, 22, 2, 0, 0, 123000, tzinfo=UTC))
    '20261122100000123'
    """
    local = moment.astimezone(PARK_ZONE)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"


def data_time(moment: datetime) -> str:
    """DataTime of a moment: China's time in seconds.

    >>> data_time(datetime(2026, 11, 22, 2, tzinfo=UTC))
    '20261122100000'
    """
    return f"{moment.astimezone(PARK_ZONE):%Y%m%d%H%M%S}"


def moment_of(text: str) -> datetime:
    """Moment of a DataTime or QN, in UTC; `Hj212Error` when it is none."""
    known = _MOMENT.fullmatch(text)
    if known is None:
        raise Hj212Error(f"{text[:24]!r} is no moment; write YYYYMMDDhhmmss")
    year, month, day, hour, minute, second, milliseconds = (int(part or 0) for part in known.groups())
    try:
        local = datetime(year, month, day, hour, minute, second, milliseconds * 1000, tzinfo=PARK_ZONE)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Hj212Error(f"{text!r} is in no calendar") from None
