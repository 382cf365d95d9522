"""One station's line to its platform by HJ 212: a frame out, its answer in, the platform's own questions in between.

A frame goes out and nothing else does until its answer has come; without one it goes out again as it was, under the
same QN, as often as the edition says, and then the line counts as lost and is hung up. Answers to something else are
counted and change nothing. The platform may ask at any moment: it is answered while we wait for it.
"""

import logging
import select
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from smartpark.errors import RetryableError
from smartpark.uplinks.hj212 import Damaged, Decoder, Found, Hj212Error, frame
from smartpark.uplinks.hj212_answers import Asked, Identity, reaction_to
from smartpark.uplinks.hj212_segments import (
    DATA_ANSWER,
    HEARTBEAT,
    NOTICE_ANSWER,
    Flag,
    Item,
    Packet,
    divided,
    moment_of,
    numbered,
    parse_segment,
    qn_of,
    write_segment,
)
from smartpark.uplinks.hj212_settings import Protocol, Server, SplitQn

_log = logging.getLogger(__name__)

_ANSWERS: Final = frozenset({DATA_ANSWER, NOTICE_ANSWER})
_CHUNK: Final = 65_536
_MOST_ASKED: Final = 16
"""Questions for data of the past that are kept while earlier ones are being answered."""


class LineLostError(RetryableError):
    """The platform cannot be reached, hung up, or does not answer."""


@dataclass
class LineCounts:
    """What happened on a line."""

    frames: int = 0
    """Sent, repetitions included."""
    repeated: int = 0
    answered: int = 0
    foreign_answers: int = 0
    """Answers to nothing that was asked."""
    damaged: int = 0
    skipped_bytes: int = 0
    asked: Counter[str] = field(default_factory=Counter[str])
    """The platform's questions, by command."""
    clock_offset_s: float | None = None
    """By how much the platform's clock was ahead when it wanted to set ours. [s]"""


class StationLine:
    """Line of one station; not for several threads."""

    def __init__(
        self, server: Server, protocol: Protocol, me: Identity, clock: Callable[[], datetime], name: str
    ) -> None:
        self._server, self._protocol, self._me, self._clock, self.name = server, protocol, me, clock, name
        self._socket: socket.socket | None = None
        self._decoder = self._new_decoder()
        self._newest_qn: datetime | None = None
        self._spoke_s = time.monotonic()
        self._context = _context(server)
        self.counts = LineCounts()
        self.wants_real_time = True
        """Until the platform says otherwise, and again after each call."""
        self.asked: list[Asked] = []
        """Data of the past that the platform wants."""

    # --- the line ---

    @property
    def is_open(self) -> bool:
        """Whether the line is up, as far as anybody knows."""
        return self._socket is not None

    def open(self) -> None:
        """Call the platform; `LineLostError` when it is not there."""
        if self._socket is not None:
            return
        server = self._server
        try:
            plain = socket.create_connection((server.host, server.port), server.connect_timeout_s)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                wrapped = self._context and self._context.wrap_socket(plain, server_hostname=server.host)
            except OSError:
                plain.close()
                raise
        except OSError as error:
            raise LineLostError(f"{self._where()} cannot be reached: {_words(error)}") from None
        self._socket = wrapped or plain
        self._socket.settimeout(self._protocol.wait_s)
        self._decoder = self._new_decoder()
        self._spoke_s = time.monotonic()
        self.wants_real_time = True

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self.counts.skipped_bytes += self._decoder.skipped_bytes
            self.asked.clear()

    # --- telling ---

    def tell(self, command: str, items: Sequence[Item]) -> int:
        """Tell data, in as many packets as it takes; returns only when all of them were answered. How many."""
        me, first = self._me, self._qn()
        whole = Packet(first, me.st, command, me.pw, me.mn, Flag(me.version, wants_answer=True))
        parts = divided(items, longest_cp=self._room(whole))
        qns = [first if n == 0 or self._protocol.split_qn is SplitQn.SAME else self._qn() for n in range(len(parts))]
        for packet in numbered(whole, parts, qns):
            self._exchange(packet)
        return len(parts)

    def _room(self, whole: Packet) -> int:
        """Characters of CP: a full header and a full CP together are longer than a segment may be."""
        row, header = self._protocol.row, replace(whole, pnum=9999, pno=9999)
        return min(row.longest_cp, row.longest_segment - len(write_segment(header)) + len("CP=&&&&"))

    def heartbeat(self) -> None:
        """Say that we are there, when nothing was said for a while."""
        every_s = self._protocol.heartbeat_s
        if every_s is not None and time.monotonic() - self._spoke_s >= every_s:
            me = self._me
            self._exchange(Packet(self._qn(), me.st, HEARTBEAT, me.pw, me.mn, Flag(me.version, wants_answer=True)))

    def listen(self) -> None:
        """Answer what the platform has asked meanwhile; waits for nothing."""
        for packet in self._received(0.0):
            self._react(packet)

    def say(self, packet: Packet) -> None:
        """Send something that wants no answer."""
        self._send(packet)

    def _exchange(self, packet: Packet) -> None:
        for attempt in range(self._protocol.attempts):
            self.counts.repeated += attempt > 0
            self._send(packet)
            if self._is_answered(packet):
                self.counts.answered += 1
                return
        self.close()
        raise LineLostError(f"{self._where()} does not answer command {packet.cn} of {self.name}")

    def _is_answered(self, packet: Packet) -> bool:
        until_s = time.monotonic() + self._protocol.wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self._is_among(self._received(left_s), packet):
                return True
        # Half a frame may have hidden a whole one.
        return self._is_among(self._parsed(self._decoder.give_up()), packet)

    def _is_among(self, found: Sequence[Packet], sent: Packet) -> bool:
        """Whether the answer is there; everything else is dealt with."""
        is_there = False
        for packet in found:
            if packet.cn not in _ANSWERS:
                self._react(packet)
            elif packet.qn == sent.qn and packet.mn in {None, self._me.mn}:
                is_there = True
            else:
                self.counts.foreign_answers += 1
        return is_there

    def _react(self, packet: Packet) -> None:
        if packet.cn in _ANSWERS:
            # Late: what it answers was sent again, or given up.
            self.counts.foreign_answers += 1
            return
        now = self._clock()
        reaction = reaction_to(packet, self._me, now)
        self.counts.asked[packet.cn if packet.cn.isdigit() else "other"] += 1
        if reaction.real_time is not None:
            self.wants_real_time = reaction.real_time
        if reaction.platform_time is not None:
            self.counts.clock_offset_s = (reaction.platform_time - now).total_seconds()
            _log.warning(
                "%s: the platform wanted to set the clock; it is %.0f s ahead of ours, and ours stays",
                *(self.name, self.counts.clock_offset_s),
            )
        if reaction.asked is not None and len(self.asked) < _MOST_ASKED:
            self.asked.append(reaction.asked)
        for one in reaction.packets:
            self._send(one)

    # --- bytes ---

    def _send(self, packet: Packet) -> None:
        sock = self._open_socket()
        try:
            sock.sendall(frame(write_segment(packet), longest=self._protocol.row.longest_segment))
        except OSError as error:
            self.close()
            raise LineLostError(f"{self._where()} hung up: {_words(error)}") from None
        self.counts.frames += 1
        self._spoke_s = time.monotonic()

    def _received(self, timeout_s: float) -> list[Packet]:
        """What comes within a time; the first bytes end the wait."""
        sock = self._open_socket()
        try:
            is_pending = isinstance(sock, ssl.SSLSocket) and sock.pending()
            if not is_pending and not select.select([sock], [], [], timeout_s)[0]:
                return []
            data = sock.recv(_CHUNK)
        except (ssl.SSLWantReadError, TimeoutError):
            return []
        except OSError as error:
            self.close()
            raise LineLostError(f"{self._where()} hung up: {_words(error)}") from None
        if not data:
            self.close()
            raise LineLostError(f"{self._where()} hung up on {self.name}")
        return self._parsed(self._decoder.feed(data))

    def _parsed(self, found: Sequence[Found]) -> list[Packet]:
        packets = list[Packet]()
        for one in found:
            if isinstance(one, Damaged):
                self._note_damage(one.reason)
                continue
            try:
                packets.append(parse_segment(one.text))
            except Hj212Error as error:
                self._note_damage(str(error))
        return packets

    def _note_damage(self, reason: str) -> None:
        self.counts.damaged += 1
        _log.warning("%s: what the platform sent is of no use: %s", self.name, reason)

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise LineLostError(f"{self._where()} has hung up on {self.name}")
        return self._socket

    def _new_decoder(self) -> Decoder:
        return Decoder(longest=self._protocol.row.longest_segment, tolerant=self._protocol.tolerant)

    def _qn(self) -> str:
        """QN of now; two exchanges never have the same, whatever the clock does."""
        now = moment_of(qn_of(self._clock()))
        if self._newest_qn is not None and now <= self._newest_qn:
            now = self._newest_qn + timedelta(milliseconds=1)
        self._newest_qn = now
        return qn_of(now)

    def _where(self) -> str:
        return f"{self._server.host}:{self._server.port}"


def late(items: Sequence[Item]) -> list[Item]:
    """Items of a packet that is told late or again."""
    return [items[0], (("RF", "1"),), *items[1:]]


def _context(server: Server) -> ssl.SSLContext | None:
    if not server.tls:
        return None
    return ssl.create_default_context(cafile=None if server.ca_file is None else str(server.ca_file))


def _words(error: OSError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
