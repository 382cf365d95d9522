"""Judges many data messages of one boot in one go, as long as nothing is to be said about any of them.

A message of a hundred readings costs numpy as much as one of thousands, so messages that wait together are looked at
as one. The verdicts are those of `admission`, message by message; where one reading would be refused, or stands
behind no known alias, nothing is decided here and each message is judged by itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from smartpark.wire import DataMessage

from smartpark_ingest.admission import Limits, Verdict, given_columns, judge
from smartpark_ingest.bindings import Bindings
from smartpark_ingest.inbox import Arrival
from smartpark_ingest.letters import Envelope
from smartpark_ingest.outcomes import Admitted


class Unpacked(NamedTuple):
    """A data message on its way to be judged."""

    edge: str
    arrival: Arrival
    message: DataMessage


def admit_together(bindings: Bindings, members: Sequence[Unpacked], limits: Limits) -> list[Admitted] | None:
    """Batches of messages whose readings are all let in; None when any of them is not."""
    columns = [member.message.columns for member in members]
    time = np.frombuffer(b"".join(c.time for c in columns), "<i8").astype(np.int64, copy=False)
    received = [member.arrival.received_us for member in members]
    # Inside the narrowest window of them all; at its edges each message has its own.
    earliest, latest = limits.window(max(received))[0], limits.window(min(received))[1]
    if not time.size or time.min() < earliest or time.max() > latest:
        return None
    given = given_columns(
        bindings,
        np.frombuffer(b"".join(c.alias for c in columns), "<u4").astype(np.uint32, copy=False),
        np.frombuffer(b"".join(c.status for c in columns), "<u4").astype(np.uint32, copy=False),
        time,
        np.frombuffer(b"".join(c.value for c in columns), "<i8").astype(np.int64, copy=False),
    )
    if (given.slot < 0).any():
        return None
    judged = judge(given, limits, received_us=max(received))
    if (judged.verdict != Verdict.ACCEPTED).any():
        return None
    admitted: list[Admitted] = []
    first = 0
    for member, one in zip(members, columns, strict=True):
        message, arrival = member.message, member.arrival
        envelope = Envelope(member.edge, arrival.topic, arrival.received_us, message.boot, message.sequence)
        admitted.append(Admitted(envelope, message.floor, judged.rows[first : first + one.count]))
        first += one.count
    return admitted
