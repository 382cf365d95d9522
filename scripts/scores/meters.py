"""Parks of real series for the score of injected faults: who hangs on whom, and what is read of them.

UC San Diego's buildings and roofs hang on two feeders and the campus' meter, the steel works on its own. What a meter
upstream shows is the sum of what really flowed beneath it, with losses. Nothing of the series is kept here.
"""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from methods import Floats, Ints
from smartpark.catalogue import Catalogue

QUARTER_US = 900_000_000
SHANGHAI = timedelta(hours=8)
LOSS = 0.005
"""Share of what flows that is lost between two meters."""
STEP = 0.01
"""Resolution of power and registers. [kW, kWh]"""


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter at the end of the tree."""

    code: str
    feeder: str
    generates: bool
    true_kw: Floats
    """Power into it, positive; of a roof, what it makes is negative. NaN: not published. Shape (n,)."""


@dataclass(frozen=True, slots=True)
class RealPark:
    """A park over a stretch of time."""

    name: str
    instants: Ints
    """Starts of quarter-hours, the works' own clock taken for that of the park's zone. [µs], shape (n,)."""
    meters: tuple[Meter, ...]

    def beneath(self, code: str) -> Floats:
        """What flows through a feeder, or through the boundary (`M0`); gaps count as what flowed before them."""
        found = np.zeros(len(self.instants))
        for meter in self.meters:
            if code in ("M0", meter.feeder):
                found += held(meter.true_kw)
        depth = 2 if code == "M0" and self.feeders else 1
        return found * (1.0 + LOSS) ** depth

    @property
    def feeders(self) -> tuple[str, ...]:
        """Feeders, but for the boundary."""
        return tuple(sorted({meter.feeder for meter in self.meters} - {"M0"}))

    def catalogue(self) -> Catalogue:
        """As an operator would enter it."""
        uppers = [("M0", None, "boundary", 0.5), *((code, "M0", "distribution", 0.5) for code in self.feeders)]
        devices = [_device(code, parent, role, accuracy) for code, parent, role, accuracy in uppers]
        devices += [
            _device(m.code, m.feeder, "generation" if m.generates else "consumption", 1.0) for m in self.meters
        ]
        park = {
            "code": self.name,
            "name": self.name,
            "name_en": self.name,
            "region": "350121",
            "terrain": "coastal",
            "peer_class": 1,
            "area_mu": 100.0,
        }
        return Catalogue.model_validate({"park": park, "device": devices})


def _device(code: str, parent: str | None, role: str, accuracy: float) -> dict[str, object]:
    points = [
        {"measurand": "active_power", "resolution": str(STEP)},
        {"measurand": "active_energy_import", "resolution": str(STEP), "register_digits": 9},
        {"measurand": "active_energy_export", "resolution": str(STEP), "register_digits": 9},
    ]
    return {
        "code": code,
        "name": code,
        "name_en": code,
        "kind": "meter",
        "carrier": "photovoltaic" if role == "generation" else "electricity",
        "role": role,
        "parent": parent,
        "accuracy_class": accuracy,
        "point": points,
    }


def held(values: Floats) -> Floats:
    """The last known value where there is none; zero before the first."""
    known = np.isfinite(values)
    place = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(place >= 0, np.nan_to_num(values)[np.maximum(place, 0)], 0.0)


def local_us(text: str) -> int:
    """A clock's time taken for that of the park's zone. [µs]."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC) - SHANGHAI
    return int(moment.timestamp()) * 1_000_000


class Closed(NamedTuple):
    """Days on which nobody works, as an operator enters them beside the weekends."""

    holidays: frozenset[date]

    def is_workday(self, day: date) -> bool:
        """Whether it is neither weekend nor holiday."""
        return day.weekday() < 5 and day not in self.holidays


_FEDERAL = (
    "2018-01-01 2018-01-15 2018-02-19 2018-05-28 2018-07-04 2018-09-03 2018-11-12 2018-11-22 2018-11-23 2018-12-24 "
    "2018-12-25 2018-12-31 2019-01-01 2019-01-21 2019-02-18 2019-03-29 2019-05-27 2019-07-04 2019-09-02 2019-11-11 "
    "2019-11-28 2019-11-29 2019-12-24 2019-12-25 2019-12-31"
)
CLOSED = {"ucsd": Closed(frozenset(date.fromisoformat(day) for day in _FEDERAL.split()))}
"""Holidays of the university by its published calendar; of the steel works none are known."""

UCSD = (
    ("EastCampus", "F1", 1.0),
    ("StudentServices", "F1", 1.0),
    ("MusicBuilding", "F2", 1.0),
    ("HopkinsBuilding", "F2", 1.0),
    ("BSB_LibraryPV", "M0", -1.0),
    ("CUP_PV", "M0", -1.0),
    ("SDSC_PV", "M0", -1.0),
)
"""File, feeder and sign of what is published."""


def ucsd(folder: Path, first: str, end: str) -> RealPark:
    """Buildings and roofs of UC San Diego between two days; one that has less than half of it is left out."""
    instants = np.arange(local_us(first), local_us(end), QUARTER_US, dtype=np.int64)
    meters = []
    for name, feeder, sign in UCSD:
        values = _on_grid(folder / f"{name}.csv.gz", instants)
        if np.isfinite(values).mean() > 0.5:
            meters.append(Meter(name, feeder, sign < 0, sign * values))
    return RealPark("ucsd", instants, tuple(meters))


def _on_grid(path: Path, instants: Ints) -> Floats:
    """Values of a file at instants; of a moment that stands twice the one further up, which is the later."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    found = np.full(len(instants), np.nan)
    for row in reversed(list(csv.DictReader(io.StringIO(text)))):
        moment = datetime.strptime(row["DateTime"], "%m/%d/%Y %H:%M").replace(tzinfo=UTC) - SHANGHAI
        place, rest = divmod(int(moment.timestamp()) * 1_000_000 - int(instants[0]), QUARTER_US)
        if not rest and 0 <= place < len(found):
            found[place] = _number(row["RealPower"])
    return found


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return np.nan


def steel(folder: Path | None, first: str, end: str) -> RealPark:
    """The steel works between two days; without the shared data, of the eight weeks that come with the simulators."""
    if folder is None:
        packed = files("smartpark_simulators.data").joinpath("steel_15min.csv.gz").read_bytes()
        start = "2018-03-05"
    else:
        packed = (folder / "Steel_industry_data_2018-01_08.csv.gz").read_bytes()
        start = "2018-01-01"
    rows = csv.DictReader(io.StringIO(gzip.decompress(packed).decode("utf-8-sig")))
    # File order is time order; the label of each day's last row is a day early.
    power = np.array([float(row["Usage_kWh"]) for row in rows]) * 4.0
    instants = local_us(start) + QUARTER_US * np.arange(len(power), dtype=np.int64)
    inside = (instants >= local_us(first)) & (instants < local_us(end))
    return RealPark("steel", instants[inside], (Meter("T1", "M0", False, power[inside]),))


def frozen(values: Floats, least: int = 8) -> np.ndarray:
    """Published values that are the same, and not zero, for so many quarters and more: the real meter stood still."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values) != 0) + 1])
    lengths = np.diff(starts, append=len(values))
    long = np.repeat(lengths >= least, lengths)
    return long & (np.abs(np.nan_to_num(values)) > STEP)


Say = Callable[[str], None]


def parks(shared: Path | None, say: Say, *, is_development: bool) -> Sequence[RealPark]:
    """The parks that are at hand, for choosing parameters or for the score."""
    folder = None if shared is None else shared / "electricity"
    found: list[RealPark] = []
    if folder is not None and (folder / "ucsd").is_dir():
        span = ("2018-01-01", "2019-01-01") if is_development else ("2019-03-04", "2019-12-30")
        found.append(ucsd(folder / "ucsd", *span))
    else:
        say("no UCSD series: set SMARTPARK_SHARED_DATA; the score rests on the steel works alone")
    if folder is not None and (folder / "steel_uci").is_dir():
        span = ("2018-01-01", "2018-03-05") if is_development else ("2018-02-05", "2018-09-01")
        found.append(steel(folder / "steel_uci", *span))
    elif not is_development:
        say("of the steel works only the eight weeks that come with the simulators")
        found.append(steel(None, "2018-03-05", "2018-04-30"))
    return found
