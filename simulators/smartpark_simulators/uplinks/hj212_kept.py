"""What an environment platform that does not exist has been told by HJ 212: values by what tells them apart.

A repetition changes nothing, a correction replaces. Passwords are written nowhere.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartpark.uplinks.hj212_segments import Packet

Key = tuple[str, str, str, str]
"""Station, command, time, factor."""


@dataclass
class Kept:
    """What the platform has."""

    values: dict[Key, dict[str, str]] = field(default_factory=dict[Key, dict[str, str]])
    packets: list[Packet] = field(default_factory=list[Packet])
    """Everything that was told and kept, in order, repetitions included."""
    repeated: int = 0
    """Items that said what was known."""
    corrected: int = 0
    damaged: list[str] = field(default_factory=list[str])
    commands: Counter[str] = field(default_factory=Counter[str])

    def take(self, packet: Packet) -> None:
        """Keep the items of a packet."""
        self.packets.append(packet)
        time = packet.value("DataTime")
        for item in packet.items:
            factor = item[0][0].partition("-")[0]
            if time is None or "-" not in item[0][0]:
                continue
            key, said = (packet.mn or "", packet.cn, time, factor), dict(item)
            known = self.values.get(key)
            self.repeated += known == said
            self.corrected += known is not None and known != said
            self.values[key] = said

    def of(self, command: str, mn: str | None = None) -> dict[str, dict[str, str]]:
        """Fields of each time of a command, factors together."""
        found = dict[str, dict[str, str]]()
        for (station, cn, time, _), fields in sorted(self.values.items()):
            if cn == command and mn in {None, station}:
                found.setdefault(time, {}).update(fields)
        return found


def line_of(packet: Packet) -> Mapping[str, Any]:
    """A packet as a line of the ledger; never its password."""
    return {
        "mn": packet.mn,
        "st": packet.st,
        "cn": packet.cn,
        "qn": packet.qn,
        "flag": None if packet.flag is None else packet.flag.number,
        "part": None if packet.pnum is None else f"{packet.pno}/{packet.pnum}",
        "fields": dict(pair for item in packet.items for pair in item),
    }
