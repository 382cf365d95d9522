"""A sample through a real broker and a real ingest worker into a real database: does it agree.

The worker's own counters say what it heard and stored; the database has to hold exactly that, and the worker has to
be alive at the end. TimescaleDB where this machine's PostgreSQL has it, else the embedded plain one; the report says
which.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from cases import Case, MishapError
from park import database_park
from smartpark.broker import BrokerAddress
from smartpark.catalogue import parse_catalogue
from smartpark.clock import utc_now
from smartpark.wire import ROOT
from smartpark_ingest.admission import Limits
from smartpark_ingest.shards import Shard
from smartpark_ingest.worker import Worker, WorkerSettings
from smartpark_storage import connect, describe_database, load_catalogue

sys.path.append(str(Path(__file__).resolve().parents[1] / "benches"))

from processes import running_broker
from servers import installed_timescale, plain_server, timescale_server

Say = Callable[[str], None]
_PATIENCE_S: Final = 180.0
_LARGEST: Final = 200_000


def send_sample(cases: list[Case], say: Say) -> dict[str, Any]:
    """Publish the cases and compare; `MishapError` says what does not agree."""
    programs = installed_timescale()
    server = plain_server() if programs is None else timescale_server(programs)
    sendable = [case for case in cases if _is_sendable(case)]
    with server as database, running_broker() as broker:
        label = _prepare(database.dsn)
        say(f"sample: {len(sendable)} payloads through {broker.kind} into {label}")
        stop = threading.Event()
        worker = Worker(WorkerSettings(database.dsn, BrokerAddress(url=broker.url), Shard(0, 1), Limits()), stop)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        try:
            _publish(broker.port, sendable, worker, thread)
        finally:
            # It ends with the group in hand stored.
            stop.set()
            thread.join(30)
        return {"database": label, "broker": broker.kind, **_compare(database.dsn, worker, sendable)}


def _is_sendable(case: Case) -> bool:
    # Topics that no broker carries were for the desk alone; a shard hears what is below its filters.
    parts = case.topic.split("/")
    fits = len(parts) == 4 and parts[:2] == ROOT.split("/") and bool(parts[2])
    heard = {"birth", "death", "status", "json", "data", "dead"}
    return case.door == "wire" and fits and parts[3] in heard and len(case.payload) < _LARGEST


def _prepare(dsn: str) -> str:
    with connect(dsn, application="fuzz") as connection:
        load_catalogue(
            connection, parse_catalogue(database_park(), file="fuzz"), source="fuzz", loaded_by="fuzz", at=utc_now()
        )
        return describe_database(connection).label


def _publish(port: int, cases: list[Case], worker: Worker, thread: threading.Thread) -> None:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="fuzz")
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        _wait(lambda: not worker.vitals.obstacles(), thread, "the worker is ready")
        for case in cases:
            client.publish(case.topic, case.payload, qos=1).wait_for_publish(30)
        counters = worker.vitals.counters
        _wait(lambda: counters.messages + counters.shed >= len(cases), thread, "the worker has heard everything")
    finally:
        client.disconnect()
        client.loop_stop()


def _wait(is_so: Callable[[], bool], thread: threading.Thread, what: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not is_so():
        if not thread.is_alive():
            raise MishapError(f"the worker ended before {what}", [])
        if time.monotonic() > until:
            raise MishapError(f"not within {_PATIENCE_S:.0f} s: {what}", [])
        time.sleep(0.05)


def _compare(dsn: str, worker: Worker, cases: list[Case]) -> dict[str, Any]:
    counters = worker.vitals.counters
    with connect(dsn, application="fuzz") as connection:
        stored = {
            table: int(connection.execute(f"SELECT count(*) FROM smartpark.{table}").fetchone()[0])  # noqa: S608  two words of ours  # pyright: ignore[reportArgumentType, reportCallIssue, reportOptionalSubscript]
            for table in ("reading", "dead_letter")
        }
    counted = {"reading": counters.readings, "dead_letter": counters.dead_letters}
    if stored != counted:
        raise MishapError(f"the worker counted {counted}, the database holds {stored}", cases)
    return {
        "payloads": len(cases),
        "messages": counters.messages,
        "readings": stored["reading"],
        "dead_letters": dict(counters.letters),
        "poison_batches": counters.poison_batches,
        "batches": counters.batches_new,
    }
