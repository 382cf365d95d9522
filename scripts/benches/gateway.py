"""What surrounds one edge agent in a bench: vendors' devices, and an ingest that only acknowledges.

Run as a program with a role and its settings as JSON; each role is a process of its own, so that what it costs is
known apart. Devices send Acrel's JSON (twenty values and a time) at QoS 1 and never more than a window ahead of
what the agent's spool has accepted. The acknowledger answers every batch as ingest does after its commit; it stores
nothing.
"""

import asyncio
import json
import logging
import select
import socket
import sqlite3
import struct
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.server.server import Server
from publishers import packet, text
from smartpark.wire import Ack, Topics, pack_json, unpack_data

VALUES: Final = 20
_WINDOW: Final = 3_000
"""Messages that devices are ahead of the spool: the broker's queue, which keeps the agent from waiting for them."""
_START: Final = datetime.now(UTC) - timedelta(hours=6)
NAMESPACE: Final = "urn:smartpark:bench"


def accepted(spool: Path) -> int:
    """Readings that an agent has in its spool, or had: committed to its disk."""
    return _counted(spool, "accepted")


def pending(spool: Path) -> int:
    """Readings in a spool that nobody has acknowledged."""
    return _counted(spool, "pending_readings")


def _counted(spool: Path, counter: str) -> int:
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT {counter} FROM counter").fetchone()[0])  # noqa: S608  one of two words


def devices(port: int, meters: int, spool: str, seconds: float) -> None:
    """Meters behind gateways, as fast as the agent takes them."""
    connection = _connect(port, "bench-devices")
    heads = [text(f"/gw/acrelHW/ADW300/data/{meter:014}") for meter in range(meters)]
    end, sent, taken, looked = time.monotonic() + seconds, 0, 0, 0.0
    first = accepted(Path(spool))
    while time.monotonic() < end:
        if sent - taken >= _WINDOW or time.monotonic() - looked > 0.05:
            taken, looked = (accepted(Path(spool)) - first) // VALUES, time.monotonic()
        if sent - taken >= _WINDOW:
            time.sleep(0.002)
        else:
            packets: list[bytes] = []
            for _ in range(100):
                body = message(sent % meters, sent // meters)
                mid = struct.pack(">H", sent % 65_535 + 1)
                packets.append(packet(0x32, heads[sent % meters] + mid + body))
                sent += 1
            connection.sendall(b"".join(packets))
        while select.select([connection], [], [], 0)[0]:
            connection.recv(65_536)  # the broker's PUBACKs: nothing hangs on them here


def message(meter: int, number: int) -> bytes:
    """What an Acrel meter says: a time and twenty values."""
    at = _START + timedelta(seconds=number)
    n, v, a, p = number % 50, 2200 + (number + meter) % 90, 5000 + number % 997, 11_000 + number % 4999
    return (
        f'{{"type":"data","time":"{at:%Y%m%d%H%M%S}","meterSN":"{meter:014}","meterStatus":"normal",'
        f'"wh":{number // 100 + meter}.{number % 100:02},"p":{p / 10000},"q":{n / 10000},"pf":0.9{n:02},'
        f'"hz":50.0{n % 10},'
        f'"ua":{v / 10},"ia":{a / 1000},"pa":{p / 30000:.4f},"qa":0.00{n:02},"pfa":0.9{n:02},'
        f'"ub":{(v + 3) / 10},"ib":{(a + 7) / 1000},"pb":{p / 30001:.4f},"qb":0.00{n:02},"pfb":0.9{n:02},'
        f'"uc":{(v + 5) / 10},"ic":{(a + 9) / 1000},"pc":{p / 30002:.4f},"qc":0.00{n:02},"pfc":0.9{n:02}}}'
    ).encode()


def acknowledge(port: int, edge: str) -> None:
    """Answer every batch of an edge as if it had been committed."""
    connection, topics = _connect(port, "bench-acks"), Topics(edge)
    connection.sendall(packet(0x82, struct.pack(">H", 1) + text(topics.of("data")) + b"\x00"))
    head, pending = text(topics.of("ack")), bytearray()
    while data := connection.recv(1 << 20):
        pending += data
        while (found := _taken(pending)) is not None:
            kind, body = found
            if kind >> 4 == 3:
                size = struct.unpack_from(">H", body)[0]
                batch = unpack_data(body[2 + size :])
                connection.sendall(packet(0x30, head + pack_json(Ack.of(batch.boot, [batch.sequence]))))


def _taken(pending: bytearray) -> tuple[int, bytes] | None:
    """First whole packet, taken out."""
    size, shift = 0, 0
    for at in range(1, min(len(pending), 5)):
        size |= (pending[at] & 127) << shift
        shift += 7
        if pending[at] < 128:
            if len(pending) < at + 1 + size:
                return None
            found = pending[0], bytes(pending[at + 1 : at + 1 + size])
            del pending[: at + 1 + size]
            return found
    return None


def _connect(port: int, name: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(packet(0x10, text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + text(name)))
    if connection.recv(4)[3:] != b"\x00":
        raise SystemExit("the broker refuses the bench's devices")
    return connection


async def opcua(port: int, nodes: int, rate: float) -> None:
    """An OPC UA server whose nodes change so often altogether."""
    logging.getLogger("asyncua").setLevel(logging.WARNING)
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)
    made = [ua.NodeId(f"N{n}", index) for n in range(nodes)]
    for number, node in enumerate(made):
        await server.nodes.objects.add_variable(node, f"N{number}", 0.0, ua.VariantType.Double)
    await server.start()
    written, began = 0, time.monotonic()
    while True:
        behind = int((time.monotonic() - began) * rate) - written
        for _ in range(min(behind, nodes)):
            node = made[written % nodes]
            value = ua.Variant(230 + written * 7 % 1000 / 100, ua.VariantType.Double)
            await server.write_attribute_value(node, ua.DataValue(value, SourceTimestamp=datetime.now(UTC)))
            written += 1
        await asyncio.sleep(0.02)


def main(arguments: list[str]) -> None:
    """Play a role."""
    role, settings = arguments[0], json.loads(arguments[1])
    played: dict[str, Any] = {
        "devices": lambda: devices(**settings),
        "acknowledge": lambda: acknowledge(**settings),
        "opcua": lambda: asyncio.run(opcua(**settings)),
    }
    played[role]()


if __name__ == "__main__":
    main(sys.argv[1:])
