"""Frames of HJ 212: a data segment between ``##``, its length, its CRC and CR LF, in a stream that may be damaged.

`frame` writes one, `Decoder` finds them in bytes that come in any pieces; what a segment says is the business of
`hj212_segments`. Nothing is sent here, and nothing is guessed: what is damaged is told, and reading goes on at the
next ``##``. What some devices in the field get wrong is taken only when the caller asks for tolerance.

The CRC is no proof of anything: the standard's algorithm drops the low byte at every step, so that there are only 256
of them. Whoever receives must tell repeats by station, command, time and item.
"""

import re
from dataclasses import dataclass
from typing import Final

from smartpark.errors import SmartparkError

START: Final = b"##"
END: Final = b"\r\n"
_LENGTH_DIGITS: Final = 4
_CRC_DIGITS: Final = 4
_HEAD: Final = 80
"""What is kept of a damaged frame, to be shown. [bytes]"""
_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_PASSWORD: Final = re.compile(r"PW=[^;&]*")


class Hj212Error(SmartparkError):
    """Something is not as HJ 212 has it."""


def _step(register: int) -> int:
    for _ in range(8):
        register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


_STEPS: Final = tuple(_step(n) for n in range(256))


def crc16(segment: bytes) -> int:
    """Check value of a data segment.

    The byte meets the register's *high* byte, and what comes of it is the whole register: not the CRC of Modbus,
    which keeps the other byte.

    References
    ----------
    HJ 212-2017, annex A.

    Examples
    --------
    >>> f"{crc16(b'123456789'):04X}"
    '2F80'
    """
    register = 0xFFFF
    for byte in segment:
        register = _STEPS[(register >> 8) ^ byte]
    return register


def frame(segment: str, *, longest: int) -> bytes:
    r"""Frame around a data segment.

    Examples
    --------
    >>> frame("ST=91;CN=9015;CP=&&&&", longest=1024)
    b'##0021ST=91;CN=9015;CP=&&&&8941\r\n'
    """
    data = segment.encode()
    if _CONTROL.search(data):
        raise Hj212Error("a data segment has a control character in it")
    if len(data) > min(longest, 9999):
        raise Hj212Error(f"a data segment has {len(data)} characters; the limit is {longest}")
    return b"%s%04d%s%04X%s" % (START, len(data), data, crc16(data), END)


def without_password(text: str) -> str:
    """Text of a segment as it may be logged.

    >>> without_password("CN=9015;PW=123456;MN=1")
    'CN=9015;PW=***;MN=1'
    """
    return _PASSWORD.sub("PW=***", text)


@dataclass(frozen=True, slots=True)
class Frame:
    """A data segment whose frame is in order."""

    text: str
    tolerated: tuple[str, ...] = ()
    """What is not as the standard has it, and was taken all the same."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame that begins and is not in order."""

    reason: str
    head: bytes
    """Its first bytes."""

    @property
    def shown(self) -> str:
        """Its first characters as they may be logged."""
        return without_password(self.head.decode("ascii", "backslashreplace"))


Found = Frame | Damaged


class Decoder:
    """Finds frames in a stream of bytes; what it finds does not depend on where the stream was cut.

    Parameters
    ----------
    longest : int
        Characters that a data segment may have; a frame that announces more is damaged.
    tolerant : bool
        Take what some data loggers send: a length of three digits, a CRC in small letters, no CR LF at the end,
        Chinese as GB 18030.
    """

    def __init__(self, *, longest: int, tolerant: bool = False) -> None:
        self._longest, self._tolerant = longest, tolerant
        self._buffer = bytearray()
        self.skipped_bytes = 0
        """Bytes that belonged to no frame in order, line ends between frames aside."""

    def feed(self, data: bytes) -> list[Found]:
        """What is known with these bytes."""
        self._buffer += data
        found = list[Found]()
        while self._find_start():
            one, used = self._look()
            if used == 0:
                break
            if isinstance(one, Frame):
                del self._buffer[:used]
            else:
                self._skip(used)
            if one is not None:
                found.append(one)
        return found

    def give_up(self) -> list[Found]:
        """What there is when nothing more is to come: half a frame, and what it hid."""
        found = list[Found]()
        while self._find_start():
            found.append(Damaged("was not finished", bytes(self._buffer[:_HEAD])))
            self._skip(1)
            found += self.feed(b"")
        self._skip(len(self._buffer))
        return found

    def _find_start(self) -> bool:
        """Drop what comes before the next start; whether there is one."""
        at = self._buffer.find(START)
        if at < 0:
            at = len(self._buffer) - self._buffer.endswith(START[:1])
        self._skip(at)
        return len(self._buffer) >= len(START)

    def _skip(self, count: int) -> None:
        self.skipped_bytes += sum(byte not in END for byte in self._buffer[:count])
        del self._buffer[:count]

    def _look(self) -> tuple[Found | None, int]:
        """What stands at the start, and how many bytes are done with it; none: more are needed."""
        begin = self._segment_begins()
        if begin is None:
            # No length: not the start of a frame, so the next one may begin one character on.
            return None, 1
        if begin == 0:
            return None, 0
        length = int(self._buffer[len(START) : begin])
        if length > self._longest:
            return self._damaged(f"announces {length} characters; the limit is {self._longest}", begin)
        segment = bytes(self._buffer[begin : begin + length])
        broken = _CONTROL.search(segment)
        if broken:
            breaks = broken.start()
            return self._damaged(f"announces {length} characters and breaks off after {breaks}", begin + breaks)
        end = begin + length + _CRC_DIGITS
        if len(self._buffer) < end:
            return None, 0
        return self._checked(segment, begin, end)

    def _segment_begins(self) -> int | None:
        """Where the segment begins, 0 when that is not known yet, None when no length is there."""
        digits = bytes(self._buffer[len(START) : len(START) + _LENGTH_DIGITS])
        n_digits = len(digits) - len(digits.lstrip(b"0123456789"))
        if n_digits == _LENGTH_DIGITS:
            return len(START) + _LENGTH_DIGITS
        if n_digits == len(digits):
            return 0
        return len(START) + n_digits if self._tolerant and n_digits == _LENGTH_DIGITS - 1 else None

    def _checked(self, segment: bytes, begin: int, end: int) -> tuple[Found | None, int]:
        """The frame whose CRC ends at `end`."""
        tolerated = list[str]()
        if begin < len(START) + _LENGTH_DIGITS:
            tolerated.append("length of three digits")
        said, right = bytes(self._buffer[end - _CRC_DIGITS : end]), b"%04X" % crc16(segment)
        if said != right:
            if said.upper() != right:
                shown = said.decode("ascii", "backslashreplace")
                return self._damaged(f"carries the CRC {shown}, and {right.decode()} is right", end)
            if not self._tolerant:
                return self._damaged("carries its CRC in small letters", end)
            tolerated.append("CRC in small letters")
        tail = bytes(self._buffer[end : end + len(END)])
        if not self._tolerant:
            if not END.startswith(tail):
                return self._damaged("does not end in CR LF", end)
            if len(tail) < len(END):
                return None, 0
            end += len(END)
        return self._decoded(segment, end, tolerated)

    def _decoded(self, segment: bytes, end: int, tolerated: list[str]) -> tuple[Found | None, int]:
        try:
            return Frame(segment.decode(), tuple(tolerated)), end
        except UnicodeDecodeError:
            if not self._tolerant:
                return self._damaged("is not UTF-8", end)
        try:
            return Frame(segment.decode("gb18030"), (*tolerated, "GB 18030")), end
        except UnicodeDecodeError:
            return self._damaged("is neither UTF-8 nor GB 18030", end)

    def _damaged(self, reason: str, end: int) -> tuple[Found, int]:
        """A frame that is damaged, seen up to `end`; the next may begin anywhere in it."""
        return Damaged(reason, bytes(self._buffer[: min(end, _HEAD)])), 1
