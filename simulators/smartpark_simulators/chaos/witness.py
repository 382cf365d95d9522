"""Sees what an agent accepts: the messages that its devices' broker delivers, and the agent's own acknowledgements.

A message counts from the moment in which the agent's PUBACK has been seen here, on its way to the broker: what
becomes of the broker afterwards, what it remembers and what it says again, is no longer the reading's concern.
"""

from collections import Counter

from smartpark_simulators.chaos.lines import Look
from smartpark_simulators.chaos.mqtt_frames import (
    CONNECT,
    PUBACK,
    PUBLISH,
    acknowledged_id,
    is_refusal,
    kind_of,
    parse_publish,
    protocol_level,
)
from smartpark_simulators.ledger import message_number


def nobody() -> tuple[Look, Look]:
    """Looks on without noting anything."""
    return (lambda _packet: None), (lambda _packet: None)


class Acceptance:
    """Messages that agents have accepted, by number."""

    def __init__(self) -> None:
        self.accepted: dict[int, str] = {}
        """Whoever acknowledged each."""
        self.delivered: Counter[int] = Counter()
        """How often each was delivered, acknowledged or not."""

    def witness(self, edge: str) -> tuple[Look, Look]:
        """Look at one connection of an agent, both ways."""
        seen = _Connection(self, edge)
        return seen.to_server, seen.to_client


class _Connection:
    def __init__(self, acceptance: Acceptance, edge: str) -> None:
        self._acceptance, self._edge = acceptance, edge
        self._level = 4
        self._delivered: dict[int, int] = {}

    def to_server(self, packet: bytes) -> None:
        """An agent speaks."""
        if kind_of(packet) == CONNECT:
            self._level = protocol_level(packet)
        elif kind_of(packet) == PUBACK:
            number = self._delivered.pop(acknowledged_id(packet), None)
            if number is not None and not is_refusal(packet):
                self._acceptance.accepted[number] = self._edge

    def to_client(self, packet: bytes) -> None:
        """The broker delivers."""
        if kind_of(packet) != PUBLISH:
            return
        message = parse_publish(packet, self._level)
        if message is not None:
            number = message_number(message.topic, message.body)
            self._delivered[message.packet_id] = number
            self._acceptance.delivered[number] += 1
