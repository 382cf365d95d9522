"""One agent: its spool, its recorder, its publisher and its sources; started, changed while running, stopped.

A change of settings never touches the spool: sources that stayed the same go on undisturbed, the others are
rebuilt around the same recorder. What makes an agent itself (its code, its spool) cannot change while it runs.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from smartpark.clock import from_us, utc_now, utc_now_us
from smartpark.errors import SmartparkError
from smartpark.wire import Status

from smartpark_edge.health import SourceHealth
from smartpark_edge.meters import Meters
from smartpark_edge.mqtt_source import MqttListener
from smartpark_edge.opcua_source import OpcUaListener
from smartpark_edge.publisher import Publisher
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.settings import MqttSource, OpcUaSource, Settings
from smartpark_edge.spool import Spool
from smartpark_edge.spool_file import SpoolUnavailableError

_log = logging.getLogger(__name__)

_RATE_MEMORY_S: Final = 600.0
"""The rate at which the spool would fill is that of about the last ten minutes."""

Source = MqttListener | OpcUaListener


class IdentityChangedError(SmartparkError):
    """A running agent keeps its code, its spool and the spool's rules; stop it to change them."""


@dataclass(slots=True)
class FillRate:
    """Bytes a second that come into the spool, and so how long it lasts when nobody takes anything out."""

    accepted: int
    at: float
    bytes_per_second: float | None = None
    _weight: float = field(default=0.0)

    def update(self, accepted: int, now: float) -> None:
        """Take note of the readings accepted so far."""
        elapsed = now - self.at
        if elapsed < 1.0:
            return
        rate = (accepted - self.accepted) * 25.0 / elapsed  # 24 bytes a reading, and a share of the batch's head
        known = min(self._weight, _RATE_MEMORY_S)
        self.bytes_per_second = ((self.bytes_per_second or 0.0) * known + rate * elapsed) / (known + elapsed)
        self._weight = known + elapsed
        self.accepted, self.at = accepted, now


def hours_left(limit_bytes: int, used_bytes: int, bytes_per_second: float | None) -> float | None:
    """Hours until a spool is full; None when nothing comes in."""
    if not bytes_per_second:
        return None
    return round(max(limit_bytes - used_bytes, 0) / bytes_per_second / 3600, 2)


class Agent:
    """One agent at work."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meters = Meters()
        self._mishap = ""
        """What happened to the spool of before, when this one took its place while running."""
        self._open()

    def _open(self) -> None:
        edge = self.settings.edge
        self.spool = Spool(edge.spool, limit_bytes=edge.spool_limit_bytes, when_full=edge.when_full, now=utc_now())
        self._rate = FillRate(self.spool.counters.accepted, time.monotonic())
        self._recorder = Recorder(self.spool, _pace(self.settings), on_change=self._wake, meters=self.meters)
        self._publisher: Publisher | None = None
        self._sources: dict[tuple[str, str], Source] = {}

    def _wake(self) -> None:
        if self._publisher is not None:
            self._publisher.wake()

    @property
    def is_ready(self) -> bool:
        """Whether it hears all sources and is connected to the platform."""
        connected = self._publisher is not None and self._publisher.connected.is_set()
        return connected and all(source.health.subscribed for source in self._sources.values())

    @property
    def recorder(self) -> Recorder:
        """What writes its spool."""
        return self._recorder

    @property
    def publisher(self) -> Publisher | None:
        """What sends from its spool; None while it is being exchanged."""
        return self._publisher

    @property
    def bytes_per_second(self) -> float | None:
        """How fast the spool would fill; None: not known yet."""
        return self._rate.bytes_per_second

    def sources(self) -> tuple[Source, ...]:
        """What it listens to."""
        return tuple(self._sources.values())

    @property
    def is_broken(self) -> bool:
        """Whether its recorder has ended without being asked to."""
        return self._recorder.broken.is_set()

    def start(self) -> None:
        """Start everything; nothing here waits for a connection."""
        spool = self.spool
        _log.info(
            "%s: spool %s, %d readings pending", self.settings.edge.code, spool.path, spool.counters.pending_readings
        )
        self._recorder.start()
        self._start_publisher()
        for source in self._wanted(self.settings).items():
            self._start_source(*source)

    def stop(self) -> None:
        """Stop hearing, write what is in hand, say goodbye."""
        for source in self._sources.values():
            source.stop()
        self._recorder.stop()
        if self._publisher is not None:
            self._publisher.stop()
        self.spool.close()

    def revive(self) -> None:
        """Start afresh after the recorder ended by itself (a spool damaged while running, say)."""
        failure, before = self._recorder.failure, self.spool
        self.stop()
        self._open()
        if self.spool.boot != before.boot:
            waiting = before.counters.pending_readings
            kept = self.spool.alarm or f"started a fresh spool {before.path.name}"
            self._mishap = f"{failure}; {kept}; {waiting} readings of before were not yet acknowledged"
        _log.error("%s: starting again: %s", self.settings.edge.code, self._mishap or failure)
        self.start()

    def apply(self, settings: Settings) -> None:
        """Change to other settings; `IdentityChangedError` when that needs a stop."""
        if settings.edge != self.settings.edge or _pace(settings) != _pace(self.settings):
            raise IdentityChangedError(
                f"{settings.edge.code}: [edge], and max_readings and max_delay_s of [publish], are fixed while the "
                "agent runs; stop it to change them"
            )
        before, after = self._wanted(self.settings), self._wanted(settings)
        for key in [key for key in self._sources if before.get(key) != after.get(key)]:
            self._sources.pop(key).stop()
        if (settings.broker, settings.publish) != (self.settings.broker, self.settings.publish):
            self._stop_publisher()
        self.settings = settings
        if self._publisher is None:
            self._start_publisher()
        for key, source in after.items():
            if key not in self._sources:
                self._start_source(key, source)

    def save_rate(self) -> None:
        """Update the fill rate, and keep it where `edge spool` finds it."""
        self._rate.update(self.spool.counters.accepted, time.monotonic())
        rate = self._rate.bytes_per_second
        self._recorder.call(lambda: self._try_save(rate))

    def _try_save(self, rate: float | None) -> None:
        # Not worth holding anything up: the next one comes in a moment.
        try:
            self.spool.save_rate(rate)
        except SpoolUnavailableError as error:
            _log.debug("%s: rate not saved: %s", self.settings.edge.code, error)

    def status(self, session: int, oldest_pending: int | None) -> Status:
        """Health, as the platform hears it."""
        counters, edge = self.spool.counters, self.settings.edge
        return Status(
            edge=edge.code,
            boot=self.spool.boot,
            session=session,
            time=utc_now_us(),
            spool_readings=counters.pending_readings,
            spool_bytes=counters.bytes,
            spool_limit_bytes=edge.spool_limit_bytes,
            oldest_pending=oldest_pending,
            hours_left=hours_left(edge.spool_limit_bytes, counters.pending_bytes, self._rate.bytes_per_second),
            accepted=counters.accepted,
            duplicates=counters.duplicates,
            dropped=counters.dropped,
            dropped_from=counters.dropped_from,
            dropped_to=counters.dropped_to,
            dead_letters=counters.dead_letters,
            alarms=tuple(self._alarms()),
            sources=tuple(source.health.status() for source in self._sources.values()),
        )

    def _alarms(self) -> Iterator[str]:
        """What is wrong with the spool that no number of the status says."""
        if self._mishap or self.spool.alarm:
            yield self._mishap or self.spool.alarm
        if self._recorder.trouble:
            yield f"nothing can be written down, devices wait: {self._recorder.trouble}"
        counters = self.spool.counters
        letters = counters.dropped_letters - counters.damaged_letters
        if letters:
            yield f"the spool was full: lost {letters} dead letters"
        if counters.damaged_from is not None and counters.damaged_to is not None:
            yield (
                f"the disk has altered what was written to the spool: lost {counters.damaged} readings and "
                f"{counters.damaged_letters} dead letters, {from_us(counters.damaged_from).isoformat()} to "
                f"{from_us(counters.damaged_to).isoformat()}"
            )

    @staticmethod
    def _wanted(settings: Settings) -> dict[tuple[str, str], MqttSource | OpcUaSource]:
        return {("mqtt", source.name): source for source in settings.mqtt} | {
            ("opcua", source.name): source for source in settings.opcua
        }

    def _start_source(self, key: tuple[str, str], settings: MqttSource | OpcUaSource) -> None:
        code = self.settings.edge.code
        source = (
            MqttListener(code, settings, self._recorder)
            if isinstance(settings, MqttSource)
            else OpcUaListener(code, settings, self._recorder)
        )
        self._sources[key] = source
        source.start()

    def _start_publisher(self) -> None:
        settings = self.settings
        self._publisher = Publisher(
            settings.edge.code,
            settings.broker,
            settings.publish,
            recorder=self._recorder,
            make_status=self.status,
            meters=self.meters,
        )
        self._publisher.start()

    def _stop_publisher(self) -> None:
        if self._publisher is not None:
            self._publisher.stop()
            self._publisher = None

    def health(self) -> list[SourceHealth]:
        """Counters of every source."""
        return [source.health for source in self._sources.values()]


def _pace(settings: Settings) -> Pace:
    return Pace(
        max_readings=settings.publish.max_readings,
        max_delay_s=settings.publish.max_delay_s,
        history_after_s=settings.edge.history_after_s,
        memory_per_point=settings.edge.memory_per_point,
    )
