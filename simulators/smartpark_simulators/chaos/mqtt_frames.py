"""Whole MQTT packets out of a stream of bytes, and the few fields that a bystander needs. It sends nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

PUBLISH, PUBACK = 3, 4
CONNECT = 1
_DUP = 0x08


@dataclass(frozen=True, slots=True)
class Published:
    """What a PUBLISH of quality 1 says."""

    packet_id: int
    topic: str
    body: bytes


class Frames:
    """Cuts one direction of a connection into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        r"""Whole packets, as they become complete.

        Examples
        --------
        >>> frames = Frames()
        >>> list(frames.feed(bytes([0x40, 2, 0])))
        []
        >>> list(frames.feed(bytes([7, 0xC0, 0])))
        [b'@\x02\x00\x07', b'\xc0\x00']
        """
        self._rest += data
        while (size := _packet_size(self._rest)) is not None and size <= len(self._rest):
            packet, self._rest = self._rest[:size], self._rest[size:]
            yield packet


def _packet_size(data: bytes) -> int | None:
    """Size of the first packet; None while its length is not complete."""
    size = 0
    for index, byte in enumerate(data[1:5]):
        size |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return size + index + 2
    return None


def kind_of(packet: bytes) -> int:
    """Type of a packet."""
    return packet[0] >> 4


def protocol_level(connect: bytes) -> int:
    """Version that a CONNECT asks for: 4 is 3.1.1, 5 is 5."""
    start = _header_size(connect)
    return connect[start + 2 + int.from_bytes(connect[start : start + 2], "big")]


def parse_publish(packet: bytes, level: int) -> Published | None:
    """What a PUBLISH says; None at quality 0, which nobody acknowledges."""
    if not packet[0] & 0x06:
        return None
    start = _header_size(packet)
    size = int.from_bytes(packet[start : start + 2], "big")
    topic = packet[start + 2 : start + 2 + size].decode()
    place = start + 2 + size
    packet_id = int.from_bytes(packet[place : place + 2], "big")
    place += 2
    if level == 5:
        length, used = _variable(packet, place)
        place += used + length
    return Published(packet_id, topic, packet[place:])


def acknowledged_id(puback: bytes) -> int:
    """Packet that a PUBACK is about."""
    start = _header_size(puback)
    return int.from_bytes(puback[start : start + 2], "big")


def is_refusal(puback: bytes) -> bool:
    """Whether a PUBACK of MQTT 5 says that the message was not taken."""
    start = _header_size(puback)
    return len(puback) > start + 2 and puback[start + 2] >= 0x80


def as_repeated(packet: bytes) -> bytes:
    """The same PUBLISH, marked as delivered before."""
    return bytes([packet[0] | _DUP]) + packet[1:]


def _header_size(packet: bytes) -> int:
    return 1 + _variable(packet, 1)[1]


def _variable(packet: bytes, place: int) -> tuple[int, int]:
    """Number of variable length, and how many bytes it takes."""
    value = 0
    for index in range(4):
        byte = packet[place + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, index + 1
    raise ValueError("a length of more than four bytes")
