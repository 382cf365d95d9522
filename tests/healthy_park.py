"""The demonstration park's days as the platform's rules see them: computed in this process, with or without faults.

No server and no broker: the simulator's instruments are read at instants, and what the agents and the database would
make of it (primary values, quarter-hours, hours) is made here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import smartpark_simulators
from smartpark.alerts.parks import facts_of
from smartpark.alerts.rules import Rule, Source
from smartpark.alerts.scope import CatalogueFacts, points_of
from smartpark.catalogue import load_catalogue
from smartpark.clock import to_us
from smartpark_analytics.alerts.evaluating import Board, Found, Readings, Surroundings
from smartpark_analytics.alerts.samples import Floats, Ints, Samples
from smartpark_simulators.instruments import Instrument, Register, build_instruments
from smartpark_simulators.physics import World

PARK = Path(smartpark_simulators.__file__).parent / "parks" / "minhou-demo.toml"
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WINDOWS = {Source.QUARTER: 15 * MINUTE_US, Source.HOUR: HOUR_US}


def shown(instrument: Instrument, instants: Ints) -> Floats:
    """What an instrument shows, as a number on the primary side."""
    if isinstance(instrument.source, Register):
        return instrument.source.steps(instants) * instrument.source.per_step
    values = instrument.source(instants)
    if instrument.point.exponent is None:
        return values
    step = 10.0**instrument.point.exponent * instrument.point.multiplier
    return np.rint(values / step) * step


@dataclass
class HealthyPark:
    """The park from a day on."""

    start_us: int = to_us(datetime(2026, 11, 2, 16, tzinfo=UTC))
    """Midnight of a Tuesday in Shanghai."""
    step_us: int = MINUTE_US
    seed: int = 1
    values: dict[str, Floats] = field(default_factory=dict)
    """Readings put in place of the truth, by key of the point."""

    def __post_init__(self) -> None:
        """Build the park."""
        self.catalogue = load_catalogue(PARK)
        self.points: tuple[CatalogueFacts, ...] = points_of(self.catalogue)
        self.world = World(self.seed, self.start_us)
        self.instruments: Mapping[str, Mapping[str, Instrument]] = build_instruments(self.catalogue, self.world)

    def around(self, **more: object) -> Surroundings:
        """What rules may watch."""
        on = date(2026, 11, 3)
        parks = {self.catalogue.park.code: facts_of(self.catalogue, on)}
        steps = np.full(len(self.points), self.step_us, np.int64)
        return Surroundings(self.points, ("gw-1",), parks, steps, on=on, **more)

    def series(self, first: int, end: int) -> tuple[Ints, Floats]:
        """Instants, and what each point shows at them; shape (n_points, n)."""
        instants = np.arange(first, end, self.step_us, dtype=np.int64)
        rows = [shown(self.instruments[p.device][p.code], instants) for p in self.points]
        return instants, np.array(rows)

    def run(
        self, rules: tuple[Rule, ...], days: float, *, chunk_us: int = DAY_US, tamper=None
    ) -> Iterator[tuple[Rule, object, Found]]:
        """Give the days to the rules, chunk by chunk, and tell what they find."""
        board = Board(rules, self.around())
        self._past = {source: [] for source in WINDOWS}
        end = self.start_us + round(days * DAY_US)
        for first in range(self.start_us, end, chunk_us):
            last = min(first + chunk_us, end)
            instants, table = self.series(first, last + self.step_us)
            if tamper is not None:
                table = tamper(instants, table)
            yield from self._step(board, instants, table, last)

    def _step(self, board: Board, instants: Ints, table: Floats, last: int) -> Iterator[tuple[Rule, object, Found]]:
        n = len(instants) - 1
        samples = flat(instants[:n], table[:, :n])
        parts = [board.step(Source.READING, Readings(samples, samples.time_us + 1_000_000), last)]
        for source, width in WINDOWS.items():
            windows = self._windows(instants, table, width)
            parts.append(board.step(source, Readings(windows)))
            self._learn(board, source, windows, last)
        heard = np.arange(instants[0], last, 30_000_000)
        edge = Samples(np.zeros(len(heard), np.int64), heard, np.ones(len(heard)))
        parts.append(board.step(Source.EDGE, Readings(edge), last))
        for part in parts:
            assert not part.late.row.size
            for place, found in part.found:
                one = board.evaluations[place]
                yield one.rule, one.watched.subjects[found.row], found

    def _learn(self, board: Board, source: Source, windows: Samples, now: int) -> None:
        """Every week from what is over, as soon as there is enough."""
        self._past[source].append(windows)
        week = (now - self.start_us) // (7 * DAY_US)
        if (now - self.start_us) % (7 * DAY_US):
            return
        for one in board.evaluations:
            weeks = one.history_us // (7 * DAY_US)
            if one.rule.source is source and weeks and week >= weeks:
                past = Samples(*(np.concatenate(columns) for columns in zip(*self._past[source], strict=True)))
                order = np.lexsort((past.time_us, past.row))
                order = order[past.time_us[order] >= now - one.history_us]
                one.learn(Samples(*(column[order] for column in past)))

    def _windows(self, instants: Ints, table: Floats, width: int) -> Samples:
        """Means of gauges and differences of counters; without a reading there is no window."""
        per = width // self.step_us
        n = (len(instants) - 1) // per
        blocks = table[:, : n * per].reshape(len(table), n, per)
        with np.errstate(invalid="ignore"):
            some = np.isfinite(blocks).any(axis=2)
            mean = np.where(some, np.nansum(blocks, axis=2) / np.maximum(np.isfinite(blocks).sum(axis=2), 1), np.nan)
        edges = table[:, : n * per + 1 : per]
        counts = np.array([p.kind.value == "counter" for p in self.points])
        # What a register counted across its end or its reset is the platform's business, not the rules'.
        moved = np.diff(edges, axis=1)
        values = np.where(counts[:, None], np.where(moved >= 0, moved, np.nan), mean)
        return flat(instants[: n * per : per], values)


def flat(instants: Ints, table: Floats) -> Samples:
    """All points behind one another; what is NaN was not said."""
    row = np.repeat(np.arange(len(table)), len(instants))
    value = table.ravel()
    said = np.isfinite(value)
    return Samples(row[said], np.tile(instants, len(table))[said], value[said])
