"""Which of the events that a page looked at are part of the answer: by what is asked, what holds, what was sealed.

That a revision was superseded is known with the event. Whether by something that the answer reaches is asked only of
the few numbers of which something was published beyond it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us, to_us

from smartpark_storage.aggregates.columns import Series
from smartpark_storage.aggregates.events import fetch_names
from smartpark_storage.aggregates.filters import FeedFilter, Revisions
from smartpark_storage.connections import Connection
from smartpark_storage.copying import EPOCH_US
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for a page."""

    connection: Connection
    wanted: FeedFilter
    upper: int
    """Position up to which the answer reaches."""
    names: dict[int, Series] = field(default_factory=dict[int, Series])
    """Of the series that came up."""


def chosen(reading: Reading, events: NDArray[np.void]) -> NDArray[np.void]:
    """Events that are part of the answer, in their order."""
    events = _asked_for(reading, events)
    if reading.wanted.revisions is Revisions.LATEST:
        events = _holding(reading, events)
    return _not_sealed_yet(reading, events)


def _asked_for(reading: Reading, events: NDArray[np.void]) -> NDArray[np.void]:
    """Those of the numbers and periods that are asked for and may be seen."""
    wanted = reading.wanted
    is_wanted = np.ones(len(events), np.bool_)
    if wanted.since is not None:
        is_wanted &= events["start"] + EPOCH_US >= to_us(wanted.since)
    if wanted.until is not None:
        is_wanted &= events["start"] + EPOCH_US < to_us(wanted.until)
    ids, of_event = np.unique(events["series_id"], return_inverse=True)
    names = fetch_names(reading.connection, ids, wanted.parameters)
    reading.names.update(names)
    is_wanted &= np.array([number in names for number in ids.tolist()], np.bool_)[of_event]
    return events if is_wanted.all() else events[is_wanted]


def _holding(reading: Reading, events: NDArray[np.void]) -> NDArray[np.void]:
    """Without those that something follows which the answer reaches, unless they come by a seal."""
    is_followed = events["is_superseded"] & ~events["is_sealed"]
    if not is_followed.any():
        return events
    given = {"upper": reading.upper, "series": np.unique(events["series_id"][is_followed]).tolist()}
    # Planned for this position: usually nothing is beyond it, of which a plan for any position knows nothing.
    beyond = set(reading.connection.execute(query("aggregate_corrected_beyond"), given, prepare=False).fetchall())
    if beyond:
        is_open = np.array([key[:2] in beyond for key in _keys(events)], np.bool_) & is_followed
        is_followed[is_open] = _are_followed(reading, events[is_open])
    return events[~is_followed]


def _are_followed(reading: Reading, events: NDArray[np.void]) -> NDArray[np.bool_]:
    """Of each whether something follows it that the answer reaches."""
    series, starts, revisions = zip(*_keys(events), strict=True) if len(events) else ((), (), ())
    given = {"series": list(series), "starts": list(starts), "revisions": list(revisions), "upper": reading.upper}
    is_followed = np.zeros(len(events), np.bool_)
    is_followed[[place for (place,) in reading.connection.execute(query("aggregate_followed"), given)]] = True
    return is_followed


def _not_sealed_yet(reading: Reading, events: NDArray[np.void]) -> NDArray[np.void]:
    """Without those that come by their seal."""
    if not len(events):
        return events
    given = {
        "series": np.unique(events["series_id"]).tolist(),
        "first": from_us(int(events["start"].min()) + EPOCH_US),
        "last": from_us(int(events["start"].max()) + EPOCH_US),
        "upper": reading.upper,
    }
    sealed = set(reading.connection.execute(query("aggregate_sealed"), given).fetchall())
    if not sealed:
        return events
    comes_later = np.array([key in sealed for key in _keys(events)], np.bool_) & ~events["is_sealed"]
    return events[~comes_later]


def _keys(events: NDArray[np.void]) -> list[tuple[Any, ...]]:
    """Series, start and revision of each, as the database gives them."""
    starts = [from_us(start) for start in (events["start"] + EPOCH_US).tolist()]
    return list(zip(events["series_id"].tolist(), starts, events["revision"].tolist(), strict=True))
