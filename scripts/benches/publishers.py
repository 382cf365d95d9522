"""Senders of a bench: edges that speak the wire over MQTT at QoS 1 as lean as a socket lets them.

A real agent's publisher is measured by the edge bench; here the senders stand for many gateways on other machines and
must not be what is measured. They keep the wire's rules all the same: numbered batches, a bounded window of batches
without commit ack, sent again when nobody acknowledges. Values move like registers, times go on by a second.

Run as a program: a `Task` as JSON on stdin, a `Told` as JSON on stdout when done.
"""

import json
import os
import selectors
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from smartpark.clock import utc_now_us
from smartpark.wire import Birth, BirthPoint, Topics, pack_data, pack_json

_RESEND_S: Final = 10.0
_KEEPALIVE_S: Final = 600
_CHUNK: Final = 1 << 20
STEP_US: Final = 1_000_000
"""Between two readings of a point."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to send."""

    host: str
    port: int
    edges: dict[str, list[dict[str, Any]]]
    """Code to its points: key, measurand, exponent."""
    boot: int
    start_us: int
    """Time of the first reading."""
    readings_per_message: int
    window: int
    seconds: float
    readings_per_second: float | None = None
    """Of all edges together; None: as fast as they are acknowledged."""


@dataclass(slots=True)
class Told:
    """What became of it."""

    acks: list[tuple[float, int, float]] = field(default_factory=list[tuple[float, int, float]])
    """Monotonic time of the ack; readings; seconds since it was sent or, at a given rate, since its first reading."""
    started: float = 0.0
    ended: float = 0.0
    cpu_seconds: float = 0.0
    sent_again: int = 0
    before: int = 0
    """Readings acknowledged before it started."""


def packet(kind: int, body: bytes) -> bytes:
    """Frame an MQTT packet."""
    length, size = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | 128 if length else digit)
        if not length:
            return bytes([kind]) + bytes(size) + body


def text(value: str) -> bytes:
    """Text as MQTT writes it."""
    data = value.encode()
    return struct.pack(">H", len(data)) + data


class Columns:
    """Bodies of an edge's data messages, one after the other."""

    def __init__(self, points: int, readings: int, start_us: int) -> None:
        self._points, self._readings, self._start = points, readings, start_us
        self._place = 0
        self._body = np.zeros(readings * 24, np.uint8)
        self._time = self._body[: 8 * readings].view("<i8")
        self._value = self._body[8 * readings : 16 * readings].view("<i8")
        self._alias = self._body[16 * readings : 20 * readings].view("<u4")
        self._order = np.arange(readings)

    def next(self) -> bytes:
        """All points of a second, then all of the next one."""
        step, self._alias[:] = np.divmod(self._place + self._order, self._points)
        self._time[:] = self._start + step * STEP_US
        self._value[:] = 1000 * self._alias.astype(np.int64) + 3 * step
        self._place += self._readings
        return self._body.tobytes()


class Sender:
    """One edge and its connection."""

    def __init__(self, code: str, task: Task, told: Told) -> None:
        self.code, self._task, self._told = code, task, told
        self._topics = Topics(code)
        points = task.edges[code]
        self._columns = Columns(len(points), task.readings_per_message, task.start_us)
        self._birth = pack_json(
            Birth(
                edge=code,
                boot=task.boot,
                session=utc_now_us(),
                points=tuple(BirthPoint(alias=alias, **point) for alias, point in enumerate(points)),
            )
        )
        self._head = text(self._topics.of("data"))
        self._sequence, self._mid = 0, 0
        self.pending: dict[int, tuple[float, float, bytes]] = {}
        """Sequence to: counted from, sent last at, message."""
        self._out: deque[memoryview] = deque()
        self._in = bytearray()
        self.ready = False
        self.socket = socket.create_connection((task.host, task.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hello = text("MQTT") + bytes([4, 2]) + struct.pack(">H", _KEEPALIVE_S) + text(f"bench-{code}")
        self._write(packet(0x10, hello))
        self._write(packet(0x82, struct.pack(">H", 1) + text(self._topics.of("ack")) + b"\x01"))
        self._publish(0x33, text(self._topics.of("birth")), self._birth)
        self.socket.setblocking(False)

    @property
    def has_room(self) -> bool:
        """Whether a batch may be sent now; the first one waits for its ack alone, until ingest listens."""
        return len(self.pending) < (self._task.window if self.ready else 1) and len(self._out) < 64

    def send(self, counted_from: float) -> None:
        """Send the next batch."""
        self._sequence += 1
        floor = min(self.pending, default=self._sequence)
        message = pack_data(self._columns.next(), boot=self._task.boot, sequence=self._sequence, floor=floor)
        self.pending[self._sequence] = counted_from, time.monotonic(), message
        self._publish(0x32, self._head, message)

    def send_again(self, now: float) -> None:
        """Send what nobody acknowledged."""
        patience = _RESEND_S if self.ready else 0.3
        for sequence, (since, at, message) in list(self.pending.items()):
            if now - at > patience:
                self.pending[sequence] = since, now, message
                self._told.sent_again += self.ready
                self._publish(0x32, self._head, message)

    def _publish(self, kind: int, topic: bytes, payload: bytes) -> None:
        self._mid = self._mid % 65_535 + 1
        self._write(packet(kind, topic + struct.pack(">H", self._mid) + payload))

    def _write(self, data: bytes) -> None:
        self._out.append(memoryview(data))
        self.flush()

    def flush(self) -> bool:
        """Hand to the system what it takes; whether that was all."""
        while self._out:
            try:
                sent = self.socket.send(self._out[0])
            except BlockingIOError:
                return False
            if sent == len(self._out[0]):
                self._out.popleft()
            else:
                self._out[0] = self._out[0][sent:]
        return True

    def hear(self) -> None:
        """Take what the broker says: commit acks count, the broker's own mean nothing."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise SystemExit(f"publishers: the broker closed the connection of {self.code}")
        self._in += data
        for kind, body in self._packets():
            if kind >> 4 == 3:
                self._acknowledged(body)

    def _packets(self) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        at = 0
        while len(self._in) - at >= 2:
            size, shift, head = 0, 0, at + 1
            while head < len(self._in):
                size |= (self._in[head] & 127) << shift
                shift, head = shift + 7, head + 1
                if self._in[head - 1] < 128:
                    break
            if self._in[head - 1] >= 128 or len(self._in) < head + size:
                break
            found.append((self._in[at], bytes(self._in[head : head + size])))
            at = head + size
        del self._in[:at]
        return found

    def _acknowledged(self, body: bytes) -> None:
        size = struct.unpack_from(">H", body)[0]
        self._write(b"\x40\x02" + body[2 + size : 4 + size])
        ack = json.loads(body[4 + size :])
        now = time.monotonic()
        for first, last in ack["committed"] if ack["boot"] == self._task.boot else ():
            for sequence in range(first, last + 1):
                since, _, _ = self.pending.pop(sequence, (None, 0, b""))
                if since is not None:
                    self._told.acks.append((now, self._task.readings_per_message, now - since))
        self.ready = self.ready or not self.pending


def run(task: Task) -> Told:
    """Send for a while, and wait until everything is acknowledged."""
    told = Told()
    senders = [Sender(code, task, told) for code in task.edges]
    with selectors.DefaultSelector() as selector:
        for sender in senders:
            selector.register(sender.socket, selectors.EVENT_READ, sender)
            sender.send(time.monotonic())
        _turn(selector, senders, until=lambda: all(sender.ready for sender in senders))
        told.before = sum(readings for _, readings, _ in told.acks)
        told.acks.clear()
        told.started, before = time.monotonic(), os.times()
        _send(task, told, senders, selector)
        told.ended, after = time.monotonic(), os.times()
        told.cpu_seconds = after.user + after.system - before.user - before.system
        _turn(selector, senders, until=lambda: not any(sender.pending for sender in senders))
    return told


def _send(task: Task, told: Told, senders: list[Sender], selector: selectors.BaseSelector) -> None:
    end = told.started + task.seconds
    if task.readings_per_second is None:
        while time.monotonic() < end:
            filled = [_fill(sender) for sender in senders]
            _turn_once(selector, senders, 0.0 if any(filled) else 0.01)
        return
    # A message is due when its last reading is there; its first one has waited for the others since `every`.
    every = task.readings_per_message * len(senders) / task.readings_per_second
    due = [told.started + every * (1 + place / len(senders)) for place in range(len(senders))]
    while (now := time.monotonic()) < end:
        for place, sender in enumerate(senders):
            while due[place] <= now and sender.has_room:
                sender.send(due[place] - every)
                due[place] += every
        _turn_once(selector, senders, max(min(due) - time.monotonic(), 0.0005))


def _fill(sender: Sender) -> bool:
    # One at a time: edges take turns, as they do when each sends what the last second brought.
    if sender.has_room:
        sender.send(time.monotonic())
        return True
    return False


def _turn(selector: selectors.BaseSelector, senders: list[Sender], *, until: Any) -> None:
    give_up = time.monotonic() + 120
    while not until():
        _turn_once(selector, senders, 0.05)
        if time.monotonic() > give_up:
            raise SystemExit("publishers: nobody acknowledged for two minutes")


def _turn_once(selector: selectors.BaseSelector, senders: list[Sender], timeout: float) -> None:
    for key, _ in selector.select(timeout):
        key.data.hear()
    now = time.monotonic()
    for sender in senders:
        sender.flush()
        if sender.pending:
            sender.send_again(now) if now - next(iter(sender.pending.values()))[1] > 0.3 else None


if __name__ == "__main__":
    print(json.dumps(asdict(run(Task(**json.load(sys.stdin))))))
