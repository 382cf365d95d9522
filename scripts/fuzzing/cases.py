"""What is fed in: one case is one payload and the door it comes through. It can be written down and read again."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One payload."""

    door: str
    """`mqtt` (a device's message), `opcua` (a server's value), `wire` (towards ingest), `ack` (towards an edge)."""
    topic: str
    payload: bytes = b""
    number: int = 0
    """OPC UA: what the value is made from (see `opcua_cases`), because not every value has bytes."""
    retained: bool = False

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "door": self.door,
                "topic": self.topic,
                "payload_base64": base64.b64encode(self.payload).decode(),
                "number": self.number,
                "retained": self.retained,
            }
        )


def write_cases(path: Path, cases: list[Case]) -> None:
    """Keep cases for `--replay`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{case.as_line()}\n" for case in cases), encoding="utf-8")


def read_cases(path: Path) -> list[Case]:
    """Undo `write_cases`."""
    found: list[Case] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        payload = base64.b64decode(entry.pop("payload_base64"))
        found.append(Case(**entry, payload=payload))
    return found


class MishapError(Exception):
    """Something went past an edge, or was neither accepted nor kept; the cases that do it are attached."""

    def __init__(self, what: str, cases: list[Case]) -> None:
        super().__init__(what)
        self.cases = cases
