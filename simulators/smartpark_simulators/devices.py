"""The park's devices as senders: what each shows at an instant, with its troubles, as messages for its topics.

Between `instruments` (what a point shows) and `meters` (who sends it). Pure: instants in, messages out; the clock is
read by `park`. A message carries the readings it stands for, so that the ledger and the wire cannot disagree.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from smartpark.catalogue import Catalogue
from smartpark.clock import MICROSECONDS
from smartpark.measurands import Kind, Measurand
from smartpark.status import BAD_SENSOR_FAILURE, UNCERTAIN

from smartpark_simulators import dialects
from smartpark_simulators.dialects import Payload, Values
from smartpark_simulators.faults import HISTORY_SLOT_US, SLOT_US, FaultKind, FaultPlan, Trouble
from smartpark_simulators.flows import Instants
from smartpark_simulators.instruments import Instrument, Shown
from smartpark_simulators.ledger import ExpectedDead, TrueReading
from smartpark_simulators.meters import Outgoing

QUARTER_US = 900 * MICROSECONDS
_BLOCK_S = 10
"""Seconds that are computed in one go: numpy is no faster for one instant than for ten."""
PLC_OFFSET_US = MICROSECONDS // 2
"""The PLC samples between the whole seconds, so that none of its readings falls on one of a logger."""

Dialect = Callable[[str, int, Values], list[Payload]]
DIALECTS: dict[str, Dialect] = {
    "generic-flat": dialects.flat,
    "tasmota-energy": dialects.tasmota,
    "shelly-pro-3em": dialects.shelly_pro_3em,
    "acrel-gateway": dialects.acrel,
}
_NOT_LOGGED = frozenset(
    {
        Measurand.VOLTAGE,
        Measurand.CURRENT,
        Measurand.FREQUENCY,
        Measurand.POWER_FACTOR,
        Measurand.REACTIVE_POWER,
        Measurand.APPARENT_POWER,
    }
)
"""Loggers keep registers, power, gas, air and stacks; momentary electrical values are gone."""
_PERIOD_S = {"M0": 1, "A1": 5, "A2": 5, "G1": 2, "G2": 2, "G3": 2, "H1": 2, "W1": 2, "T09": 2, "T11": 2}


def history_topic(device: str) -> str:
    """Where the logger of a device publishes its records."""
    return f"logger/{device}"


@dataclass(slots=True)
class Device:
    """A device with its instruments."""

    code: str
    model: str | None
    """Dialect; None: its nodes are on the PLC."""
    instruments: dict[str, Instrument]
    _block: tuple[int, dict[str, list[Shown]]] = field(default=(-1, {}))

    @property
    def period_s(self) -> int:
        """Seconds between its messages."""
        return _PERIOD_S.get(self.code, 1)

    @property
    def logged(self) -> dict[str, Instrument]:
        """Points that its logger keeps."""
        return {c: i for c, i in self.instruments.items() if i.point.measurand not in _NOT_LOGGED}

    def is_due(self, instant: int) -> bool:
        """Whether it speaks at this whole second; devices of one period take turns."""
        return (instant // MICROSECONDS + len(self.code)) % self.period_s == 0

    def shown(self, instant: int) -> dict[str, Shown]:
        """What every point shows at an instant of the live run."""
        start = instant - instant % (_BLOCK_S * MICROSECONDS) + instant % MICROSECONDS
        if self._block[0] != start:
            instants = start + MICROSECONDS * np.arange(_BLOCK_S, dtype=np.int64)
            self._block = (start, {code: one.show(instants) for code, one in self.instruments.items()})
        index = (instant - start) // MICROSECONDS
        return {code: texts[index] for code, texts in self._block[1].items()}

    def shown_once(self, instant: int) -> dict[str, Shown]:
        """What every point shows at one instant, computed for itself."""
        return {code: one.show(np.array([instant]))[0] for code, one in self.instruments.items()}

    def gauges(self) -> set[str]:
        """Codes of its gauges."""
        return {code for code, one in self.instruments.items() if one.point.kind is Kind.GAUGE}


def _slot_of_history(slot: int, start: int, end: int) -> tuple[int, int]:
    """First moment of a slot at which loggers read in [start, end], and where it ends."""
    return max(-(-start // QUARTER_US) * QUARTER_US, slot * HISTORY_SLOT_US), min(
        end + 1, (slot + 1) * HISTORY_SLOT_US
    )


@dataclass(slots=True)
class Devices:
    """Every device of the park, and what goes wrong with it."""

    park: str
    devices: Sequence[Device]
    plan: FaultPlan
    _slot: tuple[int, list[Trouble]] = field(default=(-1, []))

    @staticmethod
    def of(catalogue: Catalogue, instruments: Mapping[str, dict[str, Instrument]], plan: FaultPlan) -> "Devices":
        """Devices of a catalogue; its `model` says which dialect each speaks."""
        found = [Device(device.code, device.model, instruments[device.code]) for device in catalogue.device]
        return Devices(catalogue.park.code, found, plan)

    @property
    def on_plc(self) -> list[Device]:
        """Devices whose nodes are on the OPC UA server."""
        return [device for device in self.devices if device.model is None]

    @property
    def on_mqtt(self) -> list[Device]:
        """Devices that speak for themselves."""
        return [device for device in self.devices if device.model is not None]

    def live(self, instant: int) -> Iterator[Outgoing]:
        """Messages of one whole second [us since the epoch]."""
        troubles = self._troubles(instant)
        for device in self.on_mqtt:
            mine = [t for t in troubles if t.device == device.code]
            yield from self._garbage(device, mine, instant)
            if device.is_due(instant) and not _within(mine, FaultKind.DROPOUT, instant):
                yield from self._speak(device, mine, instant)
        if instant % QUARTER_US == 0:
            for device in self.on_plc:
                yield self._records(device, [], np.array([instant]))

    def plc(self, instant: int) -> Iterator[TrueReading]:
        """Readings of the PLC's nodes at an instant."""
        failing = _spans(self._troubles(instant), FaultKind.SENSOR_FAILURE, instant)
        for device in self.on_plc:
            for code, value in device.shown(instant).items():
                key = self._key(device.code, code)
                if failing and (device.code, code) == ("S2", "so2_concentration"):
                    yield TrueReading(key, instant, None, BAD_SENSOR_FAILURE)
                elif failing and (device.code, code) == ("S1", "dust_concentration"):
                    yield TrueReading(key, instant, value, UNCERTAIN)
                else:
                    yield TrueReading(key, instant, value)

    def history(self, start: int, end: int) -> Iterator[Outgoing]:
        """What the loggers kept in [start, end]: one message per device and two days, oldest first."""
        for slot in range(start // HISTORY_SLOT_US, end // HISTORY_SLOT_US + 1):
            first, last = _slot_of_history(slot, start, end)
            instants = np.arange(first, last, QUARTER_US, dtype=np.int64)
            troubles = self._troubles_of_slot(slot, first, last)
            for device in self.devices if instants.size else ():
                mine = [t for t in troubles if t.device == device.code]
                message = self._records(device, mine, instants)
                yield message
                if any(t.kind is FaultKind.DUPLICATES for t in mine):
                    yield message
                for trouble in mine:
                    if trouble.kind is FaultKind.GARBAGE:
                        yield _broken(history_topic(device.code), trouble.start)

    def troubles_of_history(self, start: int, end: int) -> Iterator[Trouble]:
        """What befell the loggers in [start, end]."""
        for slot in range(start // HISTORY_SLOT_US, end // HISTORY_SLOT_US + 1):
            first, last = _slot_of_history(slot, start, end)
            yield from self._troubles_of_slot(slot, first, last)

    def troubles_of_live(self, start: int, end: int) -> Iterator[Trouble]:
        """What befell the devices while the park was live in [start, end)."""
        for slot in range(start // SLOT_US, end // SLOT_US + 1):
            for one in self.plan.passing(slot):
                if start <= one.start < end:
                    # Whomever the plan draws: it is the kiln's sensor that fails (`plc`).
                    yield replace(one, device="S2") if one.kind is FaultKind.SENSOR_FAILURE else one

    def _troubles_of_slot(self, slot: int, first: int, last: int) -> list[Trouble]:
        return [t for t in self.plan.in_history(slot) if first <= t.start and t.end < last]

    def _key(self, device: str, code: str) -> str:
        return f"{self.park}/{device}/{code}"

    def _troubles(self, instant: int) -> list[Trouble]:
        slot = instant // SLOT_US
        if self._slot[0] != slot:
            self._slot = (slot, self.plan.passing(slot))
        return self._slot[1]

    def _speak(self, device: Device, mine: list[Trouble], instant: int) -> Iterator[Outgoing]:
        shown = device.shown(instant)
        stuck = _spans(mine, FaultKind.STUCK, instant)
        if stuck:
            held = device.shown_once(stuck[0].start)
            shown |= {code: held[code] for code in device.gauges()}
        values = {code: text for code, text in shown.items() if text is not None}
        skewed = _falls_on(mine, FaultKind.CLOCK_SKEW, instant, device.period_s)
        stamp = skewed_clock(instant) if skewed else instant
        for payload in DIALECTS[device.model or ""](device.code, stamp, values):
            if skewed:
                dead = ExpectedDead(FaultKind.CLOCK_SKEW, payload.topic, instant, len(payload.points))
                yield Outgoing(payload.topic, payload.body, dead=dead)
                continue
            readings = [TrueReading(self._key(device.code, code), instant, values[code]) for code in payload.points]
            message = Outgoing(payload.topic, payload.body, readings)
            yield message
            if _falls_on(mine, FaultKind.DUPLICATES, instant, device.period_s):
                yield message

    def _garbage(self, device: Device, mine: list[Trouble], instant: int) -> Iterator[Outgoing]:
        if any(t.kind is FaultKind.GARBAGE and t.start == instant for t in mine):
            values = {code: text for code, text in device.shown(instant).items() if text is not None}
            yield _broken(DIALECTS[device.model or ""](device.code, instant, values)[0].topic, instant)

    def _records(self, device: Device, mine: list[Trouble], instants: Instants) -> Outgoing:
        columns = {code: one.show(instants) for code, one in device.logged.items()}
        gauges = device.gauges()
        records: list[str] = []
        readings: list[TrueReading] = []
        held: dict[str, str] = {}
        for index, instant in enumerate(instants.tolist()):
            if _within(mine, FaultKind.DROPOUT, instant):
                continue
            values = {code: text for code, texts in columns.items() if (text := texts[index]) is not None}
            if _within(mine, FaultKind.STUCK, instant):
                held = held or {code: text for code, text in values.items() if code in gauges}
                values |= held
            records.append(dialects.flat_record(instant, values))
            readings += [TrueReading(self._key(device.code, code), instant, text) for code, text in values.items()]
        return Outgoing(history_topic(device.code), dialects.flat_records(records), readings)


def skewed_clock(instant: int) -> int:
    """What a clock says that has lost its battery (fifty years back) or its mind (23 ahead), in turns."""
    years = -50 if instant // MICROSECONDS % 2 else 23
    return instant + years * 31_557_600 * MICROSECONDS


def _spans(troubles: Sequence[Trouble], kind: FaultKind, instant: int) -> list[Trouble]:
    return [t for t in troubles if t.kind is kind and t.start <= instant < t.end]


def _within(troubles: Sequence[Trouble], kind: FaultKind, instant: int) -> bool:
    return bool(_spans(troubles, kind, instant))


def _falls_on(troubles: Sequence[Trouble], kind: FaultKind, instant: int, period_s: int) -> bool:
    """Whether this is the first message at or after a moment."""
    return any(t.kind is kind and t.start <= instant < t.start + period_s * MICROSECONDS for t in troubles)


_GARBAGE = (b'{"time":"2026-11-2', b"\x00\xff\xfe\x80garbage\xff", b"<html><body>502 Bad Gateway</body></html>")


def _broken(topic: str, instant: int) -> Outgoing:
    # No two alike, so that one that a broker delivers again can be told from the next.
    body = _GARBAGE[instant // MICROSECONDS % len(_GARBAGE)] + b" %d" % instant
    return Outgoing(topic, body, dead=ExpectedDead(FaultKind.GARBAGE, topic, instant, 1))
