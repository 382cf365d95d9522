"""The admission desk of one worker: messages in, outcomes out; it remembers births and holds no connection.

A data message can only be read with the birth of its boot. One that comes before its birth is parked: not
acknowledged, kept in bounded memory, looked at again when the birth arrives, and after `PATIENCE_S` let in without
the readings nobody can explain, which become letters. When the parking place is full the message is forgotten: its
edge sends it again.

An edge is also asked for its birth when this worker hears of it for the first time, and when the broker hands over a
birth it had kept: either means that nobody was listening a moment ago, and the question tells the edge that what it
has sent since may have to be sent again.

A message that cannot be read at all has no number that could be trusted, so it is not acknowledged; an edge that
keeps sending it is answered by silence, and its bytes are kept once, not once per repetition. The JSON form is text,
and text whose ``boot`` and ``sequence`` can be read is acknowledged even if the rest is wrong: otherwise a hand-made
gateway would stand still for one typing error.
"""

import base64
import logging
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.errors import WireError
from smartpark.wire import (
    Birth,
    Columns,
    DataMessage,
    DeadLetter,
    Death,
    MessageType,
    Status,
    Topics,
    unpack_data,
    unpack_json,
)
from smartpark_storage import DeadReason, Registry

from smartpark_ingest.admission import Limits, given_columns, judge
from smartpark_ingest.bindings import AliasBook
from smartpark_ingest.inbox import Arrival
from smartpark_ingest.letters import Envelope, column_letters, message_letter, text_letters
from smartpark_ingest.outcomes import (
    NO_ROWS,
    Admitted,
    AskBirth,
    Born,
    Died,
    Outcome,
    Parked,
    Reported,
    Stranger,
    Unreadable,
)
from smartpark_ingest.parking import ParkingPlace
from smartpark_ingest.textform import TextBatch, given_texts, read_batch
from smartpark_ingest.together import Unpacked, admit_together

_log = logging.getLogger(__name__)

ASK_AGAIN_S: Final = 5.0
"""An edge is asked for its birth at most so often. [s]"""
_BOOTS_KEPT: Final = 4
_UNREADABLE_KEPT: Final = 4096
REPLAY_BOOT: Final = 2**63 - 1
"""Boot under which replayed letters are entered in the ledger; no edge may use it."""
_MISJUDGED: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What stumbling over a message may raise; trouble with the database or with memory is none of these."""
_EDGE_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(slots=True)
class _Edge:
    """What the desk knows of one edge."""

    session: int | None = None
    books: OrderedDict[int, AliasBook] = field(default_factory=OrderedDict)
    asked_s: float = float("-inf")

    def book(self, boot: int) -> AliasBook:
        """Book of this boot; the oldest is forgotten when there are too many."""
        if boot not in self.books:
            self.books[boot] = AliasBook(boot)
            while len(self.books) > _BOOTS_KEPT:
                self.books.popitem(last=False)
        return self.books[boot]


class Desk:
    """Decides on every message of the edges of one shard.

    Before it calls a point unknown it asks `newer_registry`: the catalogue may have been loaded a moment ago.
    """

    def __init__(
        self, registry: Registry, limits: Limits, newer_registry: Callable[[], Registry | None] = lambda: None
    ) -> None:
        self.registry = registry
        self._limits = limits
        self._newer_registry = newer_registry
        self._edges: dict[str, _Edge] = {}
        self._parking = ParkingPlace()
        self._unreadable: OrderedDict[tuple[str, int, int], None] = OrderedDict()

    def handle(self, arrival: Arrival, *, now_s: float) -> Iterator[Outcome]:
        """Outcomes of one message; `now_s` is monotonic."""
        if arrival.problem:
            yield self._unreadable_outcome("", arrival, arrival.problem)
            return
        edge = ""
        try:
            edge, leaf = _parse(arrival.topic)
            if edge not in self._edges:
                self._edges[edge] = _Edge()
                yield Stranger(edge)
                yield from self._ask(edge, now_s)
            yield from self._dispatch(edge, leaf, arrival, now_s)
        except WireError as error:
            yield self._unreadable_outcome(edge, arrival, str(error))
        except _MISJUDGED as error:
            # A bug of ours; one message must not take the worker with it, and with the worker its whole shard.
            _log.exception("message of edge %r on %s could not be judged", edge, arrival.topic)
            yield self._unreadable_outcome(edge, arrival, f"could not be judged: {error!r}")

    def handle_all(self, arrivals: Iterable[Arrival], *, now_s: float) -> Iterator[Outcome]:
        """Outcomes of messages in their order; data messages of one boot between two others are judged together."""
        waiting: dict[tuple[str, int], list[Unpacked]] = {}
        for arrival in arrivals:
            unpacked = self._unpacked(arrival)
            if unpacked is None:
                yield from self._judge_together(waiting, now_s)
                waiting = {}
                yield from self.handle(arrival, now_s=now_s)
            else:
                waiting.setdefault((unpacked.edge, unpacked.message.boot), []).append(unpacked)
        yield from self._judge_together(waiting, now_s)

    def _unpacked(self, arrival: Arrival) -> Unpacked | None:
        """A data message of a known boot; None where anything about it is out of the ordinary."""
        try:
            edge, leaf = _parse(arrival.topic)
            if arrival.problem or leaf != "data":
                return None
            message = unpack_data(arrival.payload)
            _check_identity(message.boot, message.sequence, message.floor)
        except WireError:
            return None
        known = self._edges.get(edge)
        return Unpacked(edge, arrival, message) if known is not None and message.boot in known.books else None

    def _judge_together(self, waiting: dict[tuple[str, int], list[Unpacked]], now_s: float) -> Iterator[Outcome]:
        for (edge, boot), members in waiting.items():
            admitted = self._admit_together(self._edges[edge].books[boot], members)
            if admitted is not None:
                yield from admitted
                continue
            # Something is to be said about one of them: each by itself says it.
            for member in members:
                yield from self.handle(member.arrival, now_s=now_s)

    def _admit_together(self, book: AliasBook, members: Sequence[Unpacked]) -> list[Admitted] | None:
        if len(members) == 1:
            return None
        try:
            return admit_together(book.bindings(self.registry), members, self._limits)
        except _MISJUDGED:
            return None

    def release(self, edge: str, *, now_s: float) -> Iterator[Outcome]:
        """Look again at the batches of an edge that waited for a birth."""
        for waiting in self._parking.take(edge):
            yield from self._data(edge, waiting.arrival, now_s, since_s=waiting.since_s)

    def look_at_parked(self, *, now_s: float) -> Iterator[Outcome]:
        """Ask again for the births that are waited for, and let in the batches that have waited long enough."""
        for edge in self._parking.edges():
            yield from self._ask(edge, now_s)
        for edge, waiting in self._parking.take_overdue(now_s):
            yield from self._data(edge, waiting.arrival, now_s, since_s=waiting.since_s)

    @property
    def parked(self) -> int:
        """Batches that wait for a birth."""
        return len(self._parking)

    def excuse(self, seconds: float) -> None:
        """Not count this time against the edges: the worker could not listen, and the birth may lie in the inbox."""
        self._parking.excuse(seconds)

    def _dispatch(self, edge: str, leaf: str, arrival: Arrival, now_s: float) -> Iterator[Outcome]:
        match leaf:
            case "data":
                yield from self._data(edge, arrival, now_s, since_s=now_s)
            case "json":
                yield self._json(edge, arrival)
            case "dead":
                yield self._dead(edge, arrival)
            case "birth":
                yield from self._birth(edge, arrival, now_s)
            case "death":
                yield from self._death(edge, arrival)
            case "status":
                yield from self._status(edge, arrival, now_s)
            case _:
                raise WireError(f"no edge sends {leaf!r}")

    def _birth(self, edge: str, arrival: Arrival, now_s: float) -> Iterator[Outcome]:
        if arrival.retained and not arrival.payload:
            return  # how MQTT deletes a retained message
        birth = _unpack(arrival.payload, Birth)
        _check_sender(edge, birth.edge)
        _check_identity(birth.boot, birth.session)
        known = self._edges[edge]
        known.book(birth.boot).declare(birth)
        known.session = max(birth.session, known.session or birth.session)
        yield Born(edge, birth, arrival.received_us, arrival.retained)
        yield from self.release(edge, now_s=now_s)
        if arrival.retained:
            yield from self._ask(edge, now_s)

    def _death(self, edge: str, arrival: Arrival) -> Iterator[Outcome]:
        death = _unpack(arrival.payload, Death)
        _check_sender(edge, death.edge)
        _check_identity(death.boot, death.session)
        if self._edges[edge].session in {None, death.session}:
            yield Died(edge, death, arrival.received_us)

    def _status(self, edge: str, arrival: Arrival, now_s: float) -> Iterator[Outcome]:
        status = _unpack(arrival.payload, Status)
        _check_sender(edge, status.edge)
        _check_identity(status.boot, status.session)
        yield Reported(edge, status, arrival.received_us)
        if status.boot not in self._edges[edge].books:
            yield from self._ask(edge, now_s)

    def _data(self, edge: str, arrival: Arrival, now_s: float, *, since_s: float) -> Iterator[Outcome]:
        message = unpack_data(arrival.payload)
        _check_identity(message.boot, message.sequence, message.floor)
        book = self._edges[edge].books.get(message.boot) or AliasBook(message.boot)
        alias = np.frombuffer(message.columns.alias, dtype="<u4")
        explained = bool((book.bindings(self.registry).slots_of(alias) >= 0).all())
        if explained or self._parking.is_overdue(since_s, now_s):
            yield self._with_newest_registry(lambda: self._admit(edge, arrival, message, book))
        else:
            self._parking.put(edge, (message.boot, message.sequence), arrival, since_s)
            yield Parked(edge)
            yield from self._ask(edge, now_s)

    def _with_newest_registry(self, admit: Callable[[], Admitted]) -> Admitted:
        admitted = admit()
        if any(letter.reason is DeadReason.UNKNOWN_POINT for letter in admitted.letters):
            newer = self._newer_registry()
            if newer is not None:
                self.registry = newer
                return admit()
        return admitted

    def _admit(self, edge: str, arrival: Arrival, message: DataMessage, book: AliasBook) -> Admitted:
        envelope = Envelope(edge, arrival.topic, arrival.received_us, message.boot, message.sequence)
        alias, status, time, bits = _arrays(message.columns)
        given = given_columns(book.bindings(self.registry), alias, status, time, bits)
        judged = judge(given, self._limits, received_us=arrival.received_us)
        letters = tuple(column_letters(envelope, given, judged, self._limits, bits=bits, alias=alias))
        return Admitted(envelope, message.floor, judged.rows, letters)

    def _json(self, edge: str, arrival: Arrival) -> Admitted:
        batch = read_batch(arrival.payload)
        _check_identity(batch.boot, batch.sequence, batch.floor)
        return self._with_newest_registry(lambda: self._admit_text(edge, arrival, batch))

    def _admit_text(self, edge: str, arrival: Arrival, batch: TextBatch) -> Admitted:
        envelope = Envelope(edge, arrival.topic, arrival.received_us, batch.boot, batch.sequence)
        given = given_texts(batch.readings, self.registry)
        judged = judge(given, self._limits, received_us=arrival.received_us)
        letters = (
            *(message_letter(envelope, written, detail) for written, detail in batch.wrong),
            *text_letters(envelope, given, judged, batch.readings, self._limits),
        )
        return Admitted(envelope, batch.floor, judged.rows, letters)

    def _dead(self, edge: str, arrival: Arrival) -> Admitted:
        dead = unpack_json(arrival.payload, DeadLetter)
        _check_identity(dead.boot, dead.sequence, dead.floor)
        envelope = Envelope(edge, dead.topic, arrival.received_us, dead.boot, dead.sequence)
        known = {reason.value: reason for reason in DeadReason}
        detail = f"{dead.source}: {dead.reason}"
        # "unmapped: no mapping for topic ..." is filed under its first word, when it is one of ours.
        reason = known.get(dead.reason.partition(":")[0].strip(), DeadReason.OTHER)
        letter = message_letter(envelope, _original_bytes(dead), detail, reason=reason)
        return Admitted(envelope, dead.floor, NO_ROWS, (letter,))

    def _unreadable_outcome(self, edge: str, arrival: Arrival, detail: str) -> Unreadable:
        mark = (arrival.topic, len(arrival.payload), zlib.crc32(arrival.payload))
        repeated = mark in self._unreadable
        self._unreadable[mark] = None
        self._unreadable.move_to_end(mark)
        while len(self._unreadable) > _UNREADABLE_KEPT:
            self._unreadable.popitem(last=False)
        envelope = Envelope(edge, arrival.topic, arrival.received_us)
        return Unreadable(edge, None if repeated else message_letter(envelope, arrival.payload, detail))

    def _ask(self, edge: str, now_s: float) -> Iterator[AskBirth]:
        known = self._edges[edge]
        if now_s - known.asked_s >= ASK_AGAIN_S:
            known.asked_s = now_s
            yield AskBirth(edge)


def _arrays(
    columns: Columns,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    # Looked at where they lie, then in this machine's byte order (which is a copy only on big-endian machines).
    return (
        np.frombuffer(columns.alias, "<u4").astype(np.uint32, copy=False),
        np.frombuffer(columns.status, "<u4").astype(np.uint32, copy=False),
        np.frombuffer(columns.time, "<i8").astype(np.int64, copy=False),
        np.frombuffer(columns.value, "<i8").astype(np.int64, copy=False),
    )


def _parse(topic: str) -> tuple[str, str]:
    edge, leaf = Topics.parse(topic)
    if not _EDGE_CODE.fullmatch(edge):
        raise WireError(f"{edge!r} is not an edge's code")
    return edge, leaf


def _unpack(payload: bytes, kind: type[MessageType]) -> MessageType:
    if b"\\u0000" in payload:
        raise WireError(f"a {kind.__name__} message with a NUL in a text; the database cannot hold it")
    return unpack_json(payload, kind)


def _check_sender(edge: str, said: str) -> None:
    if edge != said:
        raise WireError(f"comes on the topic of edge {edge!r} and says it is from {said!r}")


def _check_identity(*numbers: int) -> None:
    # The wire has room for 64 bits; the ledger's columns are signed, and the last number is ours (see replay).
    if not all(0 <= number < REPLAY_BOOT for number in numbers):
        raise WireError("boot, session, sequence and floor are numbers from 0 to 2**63 - 2")


def _original_bytes(dead: DeadLetter) -> bytes:
    try:
        return base64.b64decode(dead.payload_base64, validate=True)
    except ValueError:  # wrong padding, or not even ASCII
        return dead.payload_base64.encode()
