"""A piece of a file into batches: which reading belongs to which point, at what time, and whether it may in.

Pure: pieces in, batches and wrong rows out. The rules for a reading are those of every message (`admission`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark_storage import Registry

from smartpark_ingest.admission import Given, Limits, Verdict, explain, judge
from smartpark_ingest.bindings import Declared, bind
from smartpark_ingest.history.arrow import pa, pc
from smartpark_ingest.history.mapfile import FileForm, MappedPoint, PointMap
from smartpark_ingest.history.numbers import Scale
from smartpark_ingest.history.stamps import NONE, REASON, times_us
from smartpark_ingest.history.tables import Piece, Wanted, Wrong
from smartpark_ingest.values import Values

_UINT32: Final = 2**32


@dataclass(frozen=True, slots=True)
class Sorted:
    """What a piece holds."""

    by_point: dict[str, NDArray[np.void]]
    """Readings by the name that the map gives their point."""
    wrong: list[Wrong]
    unknown: dict[str, int]
    """Long: names that the map does not have, and in how many rows."""


@dataclass(slots=True)
class _Told:
    """Readings of one point in one piece, before they are judged."""

    time: NDArray[np.int64]
    row: NDArray[np.int64]
    number: NDArray[np.float64]
    """NaN where there is no value."""
    status: NDArray[np.uint32]


class Sorter:
    """Sorts pieces of files of one map."""

    def __init__(self, point_map: PointMap, registry: Registry, limits: Limits, *, now_us: int) -> None:
        self._form, self._points, self._limits, self._now_us = point_map.file, point_map.point, limits, now_us
        self._bindings = bind([(slot, Declared(p.point, None)) for slot, p in enumerate(self._points)], registry)
        self._scales = [Scale.of(p.scale, registry.by_key[p.point].exponent) for p in self._points]

    @property
    def wanted(self) -> Wanted:
        """Columns that it needs."""
        return wanted_columns(self._form, self._points)

    def sort(self, piece: Piece) -> Sorted:
        """Batches of a piece, and what cannot be taken of it."""
        wrong = list(piece.wrong)
        time = self._times(piece, wrong)
        unknown: dict[str, int] = {}
        if self._form.shape == "wide":
            told = [self._of_column(piece, time, point) for point in self._points]
        else:
            told = self._of_names(piece, time, wrong, unknown)
        return Sorted(self._judge(told, wrong), sorted(wrong), unknown)

    def _times(self, piece: Piece, wrong: list[Wrong]) -> NDArray[np.int64]:
        form = self._form
        columns = [piece.columns[name] for name in form.time_columns]
        if len(columns) > 1:
            columns = [pc.binary_join_element_wise(*(pc.cast(c, pa.string()) for c in columns), " ")]
        time = times_us(columns[0], form.time_format, form.time_zone)
        name = " ".join(form.time_columns)
        for place in np.flatnonzero(time == NONE).tolist():
            text = str(columns[0][place].as_py() or "")
            wrong.append(Wrong(int(piece.rows[place]), name, text, REASON))
        return np.where(time == NONE, NONE, time + form.shift_us)

    def _of_column(self, piece: Piece, time: NDArray[np.int64], point: MappedPoint) -> _Told:
        number = piece.columns[point.name].to_numpy(zero_copy_only=False)
        # In a wide table an empty cell says nothing: not every point speaks at every instant.
        told = np.flatnonzero(~np.isnan(number) & (time != NONE))
        return _Told(time[told], piece.rows[told], number[told], np.zeros(len(told), np.uint32))

    def _of_names(
        self, piece: Piece, time: NDArray[np.int64], wrong: list[Wrong], unknown: dict[str, int]
    ) -> list[_Told]:
        slot = self._slots(piece, wrong, unknown)
        number = piece.columns[self._form.value].to_numpy(zero_copy_only=False)
        status = self._statuses(piece, wrong)
        refused = {(one.row, one.column) for one in piece.wrong}
        usable = (slot >= 0) & (time != NONE) & (status >= 0)
        if refused:
            usable &= ~np.isin(piece.rows, [row for row, _ in refused])
        order = np.flatnonzero(usable)
        order = order[np.argsort(slot[order], kind="stable")]
        ends = np.searchsorted(slot[order], np.arange(len(self._points) + 1))
        parts = [order[first:end] for first, end in pairwise(ends)]
        return [_Told(time[p], piece.rows[p], number[p], status[p].astype(np.uint32)) for p in parts]

    def _slots(self, piece: Piece, wrong: list[Wrong], unknown: dict[str, int]) -> NDArray[np.int64]:
        """Place in the map of each row's name; -1 where it is not there."""
        coded = pc.dictionary_encode(pc.fill_null(pc.cast(piece.columns[self._form.point], pa.string()), ""))
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        names = [str(name) for name in coded.dictionary.to_pylist()]
        places = {point.name: slot for slot, point in enumerate(self._points)}
        code = coded.indices.to_numpy(zero_copy_only=False)
        slot = np.array([places.get(name, -1) for name in names] or [-1], np.int64)[code]
        for number, name in enumerate(names):
            if name in places or name in self._form.ignore:
                continue
            rows = piece.rows[code == number]
            unknown[name] = len(rows)
            wrong += [Wrong(row, self._form.point, name, "the map has no such name") for row in rows.tolist()]
        return slot

    def _statuses(self, piece: Piece, wrong: list[Wrong]) -> NDArray[np.int64]:
        """Status codes; -1 where what stands there is none."""
        name = self._form.status
        if name is None:
            return np.zeros(len(piece.rows), np.int64)
        texts = pc.cast(piece.columns[name], pa.string()).to_pylist()
        found = np.array([_status(text) for text in texts], np.int64)
        wrong += [
            Wrong(int(piece.rows[place]), name, str(texts[place]), "not a status code")
            for place in np.flatnonzero(found < 0).tolist()
        ]
        return found

    def _judge(self, told: Sequence[_Told], wrong: list[Wrong]) -> dict[str, NDArray[np.void]]:
        counts = [len(one.time) for one in told]
        slot = np.repeat(np.arange(len(told)), counts)
        values = [_values(scale, one.number) for scale, one in zip(self._scales, told, strict=True)]
        given = Given(
            self._bindings,
            slot,
            np.concatenate([one.time for one in told]),
            np.concatenate([one.status for one in told]),
            Values(
                np.concatenate([one.scaled for one in values]),
                np.concatenate([one.raw for one in values]),
                np.concatenate([one.magnitude for one in values]),
            ),
        )
        judged = judge(given, self._limits, received_us=self._now_us)
        wrong += self._refused(given, judged.verdict, np.concatenate([one.row for one in told]))
        accepted = slot[judged.verdict == Verdict.ACCEPTED]
        ends = np.searchsorted(accepted, np.arange(len(told) + 1)).tolist()
        parts = zip(self._points, ends[:-1], ends[1:], strict=True)
        return {point.name: judged.rows[first:end] for point, first, end in parts if end > first}

    def _refused(self, given: Given, verdict: NDArray[np.uint8], row: NDArray[np.int64]) -> Iterator[Wrong]:
        for place in np.flatnonzero(verdict != Verdict.ACCEPTED).tolist():
            reason = explain(given, place, Verdict(verdict[place]), self._limits, received_us=self._now_us)
            magnitude = given.values.magnitude[place]
            yield Wrong(int(row[place]), self._points[given.slot[place]].name, f"{magnitude:.17g}", reason)


def wanted_columns(form: FileForm, points: Sequence[MappedPoint]) -> Wanted:
    """Columns that files of this form must have."""
    if form.shape == "wide":
        return Wanted(form.time_columns, tuple(point.name for point in points))
    statuses = () if form.status is None else (form.status,)
    return Wanted((*form.time_columns, form.point, *statuses), (form.value,))


def _values(scale: Scale, number: NDArray[np.float64]) -> Values:
    known = np.flatnonzero(~np.isnan(number))
    if len(known) == len(number):
        return scale.values(number)
    values, found = Values.without(len(number)), scale.values(number[known])
    for column in ("scaled", "raw", "magnitude"):
        getattr(values, column)[known] = getattr(found, column)
    return values


def _status(text: str | None) -> int:
    if text is None or not text.strip():
        return 0
    try:
        found = int(text, 0)
    except ValueError:
        return -1
    return found if 0 <= found < _UINT32 else -1
