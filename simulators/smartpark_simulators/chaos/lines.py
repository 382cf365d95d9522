"""Connections that can be cut, frozen, delayed, and on which messages can be doubled and shuffled: a TCP proxy.

Each line listens on a loopback port and passes bytes on to its other end. It adds nothing and understands nothing,
except that on a line of MQTT whole packets can be told apart (`Tampering`) and a witness may look on.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from smartpark_simulators.chaos.mqtt_frames import PUBLISH, Frames, as_repeated, kind_of

_CHUNK = 65_536
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Look = Callable[[bytes], None]
"""Sees each packet of one direction as it passes."""
Witness = Callable[[], tuple[Look, Look]]
"""Makes, for each new connection, who looks at packets to the server and who at those to the client."""


@dataclass(slots=True)
class Tampering:
    """What is done to the PUBLISH packets of a line while it lasts."""

    doubled: float = 0.0
    """Share that is sent twice. [0-1]"""
    shuffled: float = 0.0
    """Share that is held back until the next one has gone. [0-1]"""
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  replayable


def to_tcp(host: str, port: int) -> Connect:
    """Other end: a port."""
    return lambda: asyncio.open_connection(host, port)


def to_socket(path: str) -> Connect:
    """Other end: a Unix socket."""
    return lambda: asyncio.open_unix_connection(path)


class Pipe:
    """One connection through a line."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.writers = (client, server)

    def abort(self) -> None:
        """Break it without a goodbye."""
        for writer in self.writers:
            writer.transport.abort()


class ProxyLine:
    """One line."""

    def __init__(self, name: str, connect: Connect, *, witness: Witness | None = None) -> None:
        self.name = name
        self.port = 0
        self._connect = connect
        self._witness = witness
        """None: the bytes of this line are nobody's packets."""
        self._pipes: set[Pipe] = set()
        self._is_cut = False
        self._delay_s = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.tampering = Tampering()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Listen no more and break what there is."""
        if self._server is not None:
            self._server.close()
        self._flowing.set()
        for pipe in list(self._pipes):
            pipe.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection, and each new one, until mended."""
        self._is_cut = True
        for pipe in list(self._pipes):
            pipe.abort()

    def freeze(self) -> None:
        """Pass nothing on, and say nothing about it: a network that is gone while both ends stand."""
        self._flowing.clear()

    def delay(self, seconds: float) -> None:
        """Pass everything on so much later."""
        self._delay_s = seconds

    def mend(self) -> None:
        """Let everything pass as it should."""
        self._is_cut, self._delay_s = False, 0.0
        self.tampering = Tampering()
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._flowing.wait()
            if self._is_cut:
                raise ConnectionError
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        pipe = Pipe(writer, far_writer)
        if self._is_cut:  # while we were connecting
            pipe.abort()
            return
        self._pipes.add(pipe)
        to_server, to_client = self._witness() if self._witness is not None else (None, None)
        directions = [
            asyncio.create_task(self._carry(reader, far_writer, to_server)),
            asyncio.create_task(self._carry(far_reader, writer, to_client)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            self._pipes.discard(pipe)
            for one in pipe.writers:
                with suppress(OSError):
                    one.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Look | None) -> None:
        """Pass one direction on until it ends."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1_000)
        sending = asyncio.create_task(self._send(due, writer))
        packets = _Packets(self, look) if self._witness is not None else None
        try:
            while data := await reader.read(_CHUNK):
                out = data if packets is None else packets.pass_on(data)
                await due.put((asyncio.get_running_loop().time() + self._delay_s, out))
            await due.put((0.0, b""))
            await sending
        except OSError:
            return
        finally:
            sending.cancel()

    async def _send(self, due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            at, data = await due.get()
            if not data and not at:
                return
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            await self._flowing.wait()
            with suppress(OSError):
                writer.write(data)
                await writer.drain()


class _Packets:
    """Packets of one direction: shown to the witness, doubled and shuffled as the line says."""

    def __init__(self, line: ProxyLine, look: Look | None) -> None:
        self._line, self._look = line, look
        self._frames = Frames()
        self._held = b""

    def pass_on(self, data: bytes) -> bytes:
        """What goes out for what came in."""
        return b"".join(self._treat(packet) for packet in self._frames.feed(data))

    def _treat(self, packet: bytes) -> bytes:
        if self._look is not None:
            self._look(packet)
        held, self._held = self._held, b""
        how = self._line.tampering
        if kind_of(packet) != PUBLISH or not packet[0] & 0x06:
            return held + packet
        if how.shuffled and not held and how.chance.random() < how.shuffled:
            self._held = packet
            return b""
        if not how.doubled or how.chance.random() >= how.doubled:
            return packet + held
        again = as_repeated(packet)
        if self._look is not None:
            self._look(again)
        return packet + again + held
