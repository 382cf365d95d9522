"""An environment platform that does not exist: takes HJ 212 over TCP, keeps it, answers, and misbehaves when told to.

It keeps what a real one would: by station, command, time and factor, so that a repetition changes nothing and a
correction replaces. Everything it was told is also kept in order, for tests and for people who look. It checks
passwords only where it was given some, and never writes one down.
"""

import json
import random
import socket
import socketserver
import ssl
import threading
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from smartpark.uplinks.hj212 import Damaged, Decoder, Hj212Error, frame
from smartpark.uplinks.hj212_segments import (
    ANSWERS,
    DATA_ANSWER,
    HEARTBEAT,
    NOTICE_ANSWER,
    Flag,
    Item,
    Packet,
    answer,
    parse_segment,
    write_segment,
)

from smartpark_simulators.uplinks.hj212_kept import Kept, line_of

LONGEST: Final = 9999
"""Characters that the server reads; senders are bound by the standard."""
_NOTICES: Final = frozenset({"1013", HEARTBEAT})


class Mood(StrEnum):
    """What may go wrong."""

    NO_ANSWER = "no-answer"
    DROP = "drop"
    """Hang up instead of answering."""
    REFUSE = "refuse"
    """Hang up on whoever calls."""
    FORGET = "forget"
    """Hang up, and keep nothing of what was told."""
    WRONG_CRC = "wrong-crc"
    HALF = "half"
    """Half an answer, and no more."""
    GARBAGE = "garbage"
    """Bytes that mean nothing before each answer."""
    SHORT_LENGTH = "short-length"
    """A length of three digits."""
    SMALL_CRC = "small-crc"
    FOREIGN = "foreign"
    """An answer to something else."""
    PIECES = "pieces"
    """Answers byte by byte: nothing wrong, and hard on careless readers."""


class Hj212Server:
    """A platform on a port of the loopback interface; a context manager that serves in threads.

    Parameters
    ----------
    port : int
        0: a free one.
    passwords : mapping of str to str, optional
        By MN; where given, packets with another password are answered as in the field: not at all.
    share : float
        Of the answers that its moods spoil. [0-1]
    seed : int
        Which ones.
    tls : SSLContext, optional
        Speak TLS with its certificate.
    ledger : Path, optional
        File to which every packet is written, one JSON object a line, without passwords.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        passwords: Mapping[str, str] | None = None,
        share: float = 1.0,
        seed: int = 1,
        tls: ssl.SSLContext | None = None,
        ledger: Path | None = None,
    ) -> None:
        self.passwords, self._share, self._ledger = passwords, share, ledger
        self._dice = random.Random(seed)  # noqa: S311  a play, not a secret
        self.moods: frozenset[Mood] = frozenset()
        self.kept = Kept()
        self._lock = threading.Lock()
        self._stations: dict[str, _Line] = {}
        self._lines: set[_Line] = set()
        self._answers = dict[str, list[Packet]]()
        self._news = threading.Condition(self._lock)
        self._server = _Server(("127.0.0.1", port), self, tls)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()

    def hang_up(self) -> None:
        """Hang up on everybody."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            line.hang_up()

    @property
    def stations(self) -> set[str]:
        """Stations that have spoken on a line that is open."""
        with self._lock:
            return set(self._stations)

    def send(self, mn: str, data: bytes) -> None:
        """Send bytes to a station, whatever they are."""
        with self._lock:
            line = self._stations[mn]
        line.send(data)

    def ask(self, mn: str, packet: Packet, *, until: str, timeout_s: float = 30.0) -> list[Packet]:
        """Send a command to a station; what it answers until a command of this code."""
        qn = packet.qn or ""
        with self._news:
            self._answers[qn] = []
        self.send(mn, frame(write_segment(packet), longest=LONGEST))
        with self._news:
            self._news.wait_for(lambda: any(one.cn == until for one in self._answers[qn]), timeout_s)
            return self._answers.pop(qn)

    def told(self, line: "_Line", packet: Packet) -> None:
        """A station has said something."""
        with self._news:
            self.kept.commands[packet.cn] += 1
            if packet.mn is not None:
                self._stations[packet.mn] = line
            if packet.qn in self._answers:
                self._answers[packet.qn].append(packet)
                self._news.notify_all()
            is_data = packet.cn not in ANSWERS
            is_spoilt = bool(self.moods) and is_data and self._dice.random() < self._share
            moods = self.moods if is_spoilt else frozenset[Mood]()
            is_known = self.passwords is None or self.passwords.get(packet.mn or "") == packet.pw
            if is_data and is_known and Mood.FORGET not in moods:
                self.kept.take(packet)
                self._write(packet)
                self._news.notify_all()
        if is_data and is_known and (packet.flag is None or packet.flag.wants_answer):
            self._reply(line, packet, moods)

    def damaged(self, found: Damaged | Hj212Error) -> None:
        """Something came that cannot be read."""
        with self._news:
            self.kept.damaged.append(found.reason if isinstance(found, Damaged) else str(found))
            self._news.notify_all()

    def _reply(self, line: "_Line", packet: Packet, moods: frozenset[Mood]) -> None:
        if moods & {Mood.DROP, Mood.FORGET, Mood.REFUSE}:
            line.hang_up()
            return
        if Mood.NO_ANSWER in moods:
            return
        command = NOTICE_ANSWER if packet.cn in _NOTICES else DATA_ANSWER
        said = answer(packet, command)
        if Mood.FOREIGN in moods:
            said = Packet("20000101000000000", said.st, said.cn, said.pw, said.mn, said.flag)
        spoilt = spoil(frame(write_segment(said), longest=LONGEST), moods)
        for piece in [spoilt[n : n + 1] for n in range(len(spoilt))] if Mood.PIECES in moods else [spoilt]:
            line.send(piece)

    def _write(self, packet: Packet) -> None:
        if self._ledger is not None:
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line_of(packet), ensure_ascii=False) + "\n")

    def entered(self, line: "_Line") -> bool:
        """Somebody calls; whether to listen."""
        with self._lock:
            self._lines.add(line)
            return Mood.REFUSE not in self.moods

    def left(self, line: "_Line") -> None:
        """Somebody has gone."""
        with self._lock:
            self._lines.discard(line)
            for mn in [mn for mn, of in self._stations.items() if of is line]:
                del self._stations[mn]


def spoil(sent: bytes, moods: frozenset[Mood]) -> bytes:
    """A frame as these moods would send it.

    >>> spoil(b"##0004CN=9ABCD", frozenset({Mood.SHORT_LENGTH, Mood.SMALL_CRC}))[:6]
    b'##004C'
    """
    if Mood.WRONG_CRC in moods:
        sent = sent[:-6] + b"%04X\r\n" % (int(sent[-6:-2], 16) ^ 0xFFFF)
    if Mood.SMALL_CRC in moods:
        sent = sent[:-6] + sent[-6:].lower()
    if Mood.SHORT_LENGTH in moods:
        sent = sent[:2] + sent[3:]
    if Mood.GARBAGE in moods:
        sent = b"\x00\xff#noise##12x4##9999\r\n" + sent
    if Mood.HALF in moods:
        sent = sent[: len(sent) // 2]
    return sent


def command(cn: str, mn: str, pw: str, qn: str, items: Sequence[Item] = (), *, version: int = 1) -> Packet:
    """A command to a station."""
    return Packet(qn, "31", cn, pw, mn, Flag(version, wants_answer=True), tuple(items))


class _Line:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It has gone already, which is all that was wanted.
            return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], platform: Hj212Server, tls: ssl.SSLContext | None) -> None:
        self.platform, self._tls = platform, tls
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        if self._tls is None:
            return sock, address
        # The handshake is left to the first read, in the caller's own thread.
        return self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket

    def handle(self) -> None:
        server: Any = self.server
        platform: Hj212Server = server.platform
        line, decoder = _Line(self.request), Decoder(longest=LONGEST)
        try:
            if not platform.entered(line):
                return
            while data := self._received():
                for found in decoder.feed(data):
                    self._found(platform, line, found)
        finally:
            platform.left(line)

    def _received(self) -> bytes:
        try:
            return self.request.recv(65_536)
        except OSError:
            return b""

    @staticmethod
    def _found(platform: Hj212Server, line: _Line, found: Any) -> None:
        if isinstance(found, Damaged):
            platform.damaged(found)
            return
        try:
            packet = parse_segment(found.text)
        except Hj212Error as error:
            platform.damaged(error)
            return
        platform.told(line, packet)
