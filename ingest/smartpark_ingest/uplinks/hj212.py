"""The sender of HJ 212: stations of the settings, each on a line of its own to one environment platform.

Hours and days go through the queue: when a published number of a station is new or corrected, its packet is told
whole, with the means of that period beside it. Minutes follow the readings (`hj212_minutes`), real-time data are the
newest readings and are never told later. A station that the platform does not answer is left alone for a while and
does not hold up the others; when none is answered, the platform counts as away. Passwords come from files and are
told to nobody but the platform, which by the standard gets them in clear.
"""

import random
import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from smartpark.clock import utc_now
from smartpark.errors import InvalidFileError, Problem
from smartpark.exposition import Family, counter, gauge
from smartpark.periods import Grain, period_containing
from smartpark.tomlfile import load_model
from smartpark.uplinks import Delivery, digest_of
from smartpark.uplinks.hj212_items import told_total, told_value
from smartpark.uplinks.hj212_segments import write_items
from smartpark.uplinks.hj212_settings import COMMANDS, Hj212Settings, Missing
from smartpark_storage.uplink_packets import forget_packets
from smartpark_storage.uplinks import DueNumber, QueuedNumber

from smartpark_ingest.uplinks.hj212_data import StationUnknownError
from smartpark_ingest.uplinks.hj212_database import StationDatabase
from smartpark_ingest.uplinks.hj212_link import LineLostError
from smartpark_ingest.uplinks.hj212_station import GRAINS, ServedStation
from smartpark_ingest.uplinks.kinds import Reply, Series, State, Verdict
from smartpark_ingest.uplinks.pacing import Allowance

_PASSWORD: Final = re.compile(r"[0-9A-Za-z]{1,32}")
_DATA_OF: Final = {command: data for data, command in COMMANDS.items()}
_FORGET_EVERY: Final = timedelta(hours=1)


def hj212_uplink(path: Path) -> "Hj212Uplink":
    """Uplink of a file, with the passwords that it names."""
    settings = load_model(path, Hj212Settings)
    passwords, problems = dict[str, str](), list[Problem]()
    for number, station in enumerate(settings.station):
        try:
            passwords[station.mn] = read_password(station.password_file)
        except LookupError as error:
            problems.append(Problem(str(path), f"station[{number}].password_file", str(error.args[0])))
    if settings.server.ca_file is not None:
        try:
            ssl.create_default_context(cafile=str(settings.server.ca_file))
        except (OSError, ssl.SSLError) as error:
            why = getattr(error, "strerror", None) or error
            problems.append(Problem(str(path), "server.ca_file", f"{settings.server.ca_file} is of no use: {why}"))
    if problems:
        raise InvalidFileError(problems)
    return Hj212Uplink(settings, passwords)


def read_password(path: Path) -> str:
    """Password in a file, alone; `LookupError` says why there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LookupError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not ASCII'}") from None
    if not _PASSWORD.fullmatch(text):
        raise LookupError(f"{path} holds no password: letters and digits, 6 by the standard")
    return text


class Hj212Uplink:
    """Stations at one platform."""

    kind = "hj212"
    tells_whole_packets = True

    def __init__(
        self,
        settings: Hj212Settings,
        passwords: Mapping[str, str],
        *,
        dsn: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings, self._jitter = settings, jitter
        self._database = StationDatabase(settings.uplink.name, dsn)
        self._stations = {
            one.mn: ServedStation(settings, one, passwords[one.mn], self._database, clock) for one in settings.station
        }
        self._factors = {
            (station.packet(data), indicator): factor
            for station in self._stations.values()
            for data in GRAINS
            for indicator, factor in station.indicators(data).items()
        }
        self._allowance: Allowance | None = None
        self._forgot_at: datetime | None = None
        self._turn = 0

    # --- what it is ---

    @property
    def name(self) -> str:
        """Under which the queue is kept."""
        return self._settings.uplink.name

    @property
    def delivery(self) -> Delivery:
        """How what is queued leaves."""
        return self._settings.delivery

    @property
    def series(self) -> Sequence[Series]:
        """What is told through the queue: the hours and days of each station."""
        return [series for station in self._stations.values() for series in station.series()]

    @property
    def resting(self) -> Collection[str]:
        """Packets of the stations that have no line."""
        away = [station for station in self._stations.values() if not station.line.is_open]
        return {station.packet(data) for station in away for data in GRAINS}

    def judge(self, number: DueNumber) -> Verdict:
        """Told is what its packet would say; without a value it is a mark, or nothing."""
        factor = self._factors[number.packet, number.indicator]
        is_left_out = number.estimated_share > 0 and not self._settings.quality.estimated_totals
        value = None if is_left_out else number.value
        if value is None and self._settings.quality.missing is Missing.OMIT:
            why = "rests on substituted hours" if is_left_out else number.reason or "no value"
            return Verdict("", withheld=why)
        if factor is None:
            return Verdict(digest_of(number.indicator, value))
        text = told_total(factor, value) if number.indicator == factor.total else told_value(factor, value)
        return Verdict(digest_of(number.indicator, factor.code, factor.unit, text))

    # --- the line ---

    def connect(self, state: State, now: datetime) -> State:
        """Call the platform for each station that has no line."""
        stations = self._stations.values()
        is_nobody_there = not any(station.line.is_open for station in stations)
        for station in stations:
            station.remember(state)
            if not station.line.is_open and (is_nobody_there or station.may_call(now)):
                station.call(now, self._jitter())
        self._need_a_line()
        return {
            **state,
            "minutes": state.get("minutes", {}) | {one.mn: one.minutes.reached.as_json() for one in stations},
            "troubles": {station.mn: station.trouble for station in stations if station.trouble},
        }

    def _need_a_line(self) -> None:
        if not any(station.line.is_open for station in self._stations.values()):
            troubles = dict.fromkeys(one.trouble for one in self._stations.values() if one.trouble)
            raise LineLostError("; ".join(troubles) or "no station has a line")

    def ready(self, state: State, now: datetime) -> Mapping[str, datetime]:
        """Whatever has ended may be told."""
        del state
        return {grain: period_containing(now, Grain(grain)).start for grain in GRAINS.values()}

    def send(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Reply:
        """Tell one packet."""
        del state
        mn, _, command = numbers[0].packet.partition("/")
        station = self._stations[mn]
        if not station.line.is_open:
            # It was lost in this very round, and others have a line.
            return Reply()
        try:
            if station.tell_packet(_DATA_OF[command], numbers, now):
                return Reply(taken=list(numbers))
        except (LineLostError, StationUnknownError) as error:
            station.leave_alone(str(error), now, self._jitter())
            self._need_a_line()
            return Reply()
        return Reply(refused=[(one, "its packet has nothing to tell") for one in numbers])

    def idle(self, now: datetime) -> bool:
        """Answer the platform, and tell real-time data and minutes; whether there are more of them."""
        self._forget(now)
        allowance = self._allowance = self._allowance or Allowance(self.delivery.backlog_per_minute, now)
        stations = list(self._stations.values())
        self._turn = (self._turn + 1) % len(stations)
        until_s = time.monotonic() + self.delivery.lease_s / 2
        for station in (*stations[self._turn :], *stations[: self._turn]):
            if not station.line.is_open:
                continue
            if time.monotonic() > until_s:
                # A round must not outlast the worker's turn; who was left out comes first in one of the next.
                break
            try:
                station.serve(now, allowance)
            except (LineLostError, StationUnknownError) as error:
                # One lost line costs all the waiting that a round may take; the others come in the next one.
                station.leave_alone(str(error), now, self._jitter())
                break
        self._need_a_line()
        return any(station.has_more(now, allowance) for station in stations if station.line.is_open)

    def _forget(self, now: datetime) -> None:
        if self._forgot_at is None or now - self._forgot_at >= _FORGET_EVERY:
            before = now - timedelta(days=self.delivery.keep_days)
            self._database.run(lambda connection: forget_packets(connection, self.name, before))
            self._forgot_at = now

    def preview(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Iterator[Mapping[str, Any]]:
        """Packets that would be told, without QN and password."""
        del state
        try:
            for (packet, start), group in groupby(numbers, lambda one: (one.packet, one.start)):
                mn, _, command = packet.partition("/")
                station, data, together = self._stations[mn], _DATA_OF[command], list(group)
                items = station.items(data, start, together)
                text = None if items is None else write_items(station.marked(data, items, together, now))
                yield {"station": mn, "command": command, "start": start, "cp": text}
        finally:
            # Whoever looks does not serve, and so does not close.
            self._database.close()

    # --- what it counts ---

    def families(self) -> Iterator[Family]:
        """Lines, packets, and what the platform said."""
        packets = Counter[str]()
        for station in self._stations.values():
            yield from self._families_of(station)
            packets += station.packets
        for command, value in sorted(packets.items()):
            labels = {"uplink": self.name, "command": command}
            yield counter("smartpark_uplink_hj212_packets_total", "Packets acknowledged.", value, labels)

    def _families_of(self, station: ServedStation) -> Iterator[Family]:
        labels, counts = {"uplink": self.name, "station": station.mn}, station.line.counts
        for metric, meaning, value in (
            ("frames_total", "Frames sent, repetitions included.", counts.frames),
            ("repeated_total", "Frames sent again for want of an answer.", counts.repeated),
            ("answered_total", "Frames that were answered.", counts.answered),
            ("foreign_answers_total", "Answers to nothing that was asked.", counts.foreign_answers),
            ("damaged_total", "Frames of the platform that were of no use.", counts.damaged),
            ("asked_total", "Commands of the platform.", sum(counts.asked.values())),
        ):
            yield counter(f"smartpark_uplink_hj212_{metric}", meaning, value, labels)
        line_is_up = float(station.line.is_open)
        yield gauge("smartpark_uplink_hj212_line_up", "1 while a station has a line.", line_is_up, labels)
        meaning = "By how much the platform's clock was ahead when it wanted to set ours."
        offset = counts.clock_offset_s
        yield gauge("smartpark_uplink_hj212_platform_clock_ahead_seconds", meaning, offset, labels)

    def close(self) -> None:
        """Hang up."""
        for station in self._stations.values():
            station.line.close()
        self._database.close()
