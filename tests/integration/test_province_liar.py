"""A source that lies, by mistake or on purpose: answers without end, in circles, of another; it stops nobody."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from smartpark.aggregates import key_id_of
from smartpark.errors import SmartparkError
from smartpark_api.aggregates.seal_keys import pem_of
from smartpark_ingest.province import client as asking
from smartpark_ingest.province import pulling, worker
from smartpark_ingest.province.client import JSON, SourceAwayError, SourceClient, SourceRefusedError
from smartpark_ingest.province.pages import BadPageError, Page
from smartpark_ingest.province.patience import Patience
from smartpark_ingest.province.pulling import Database, Pull
from smartpark_ingest.province.seals import SealBrokenError, paper_of
from smartpark_ingest.province.sources import Source
from smartpark_storage.aggregates import AggregateColumns
from waiting import wait_until

OURS, OTHER = UUID(int=1), UUID(int=2)


@contextmanager
def answering(body: bytes, status: int = 200, **headers: str) -> Iterator[Source]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # Whoever has heard enough hangs up.
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the name it has there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Source(name="liar", url=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(source: Source) -> asking.Answer:
    """Answer of a source."""
    with SourceClient(source) as client:
        return client.get("aggregates/identities", accept=JSON)


@pytest.mark.parametrize("is_packed", [False, True])
def test_an_answer_longer_than_any_is_not_taken_into_memory(monkeypatch, is_packed):
    monkeypatch.setattr(asking, "_MOST_BYTES", 2**20)
    body = bytes(2**20 + 1)
    headers = {"Content_Encoding": "gzip"} if is_packed else {}

    with (
        answering(gzip.compress(body) if is_packed else body, **headers) as source,
        pytest.raises(SourceRefusedError, match="longer than 1 MiB"),
    ):
        asked(source)


def test_a_bomb_within_a_bomb_is_not_opened():
    bomb = gzip.compress(gzip.compress(bytes(2**20)))

    with (
        answering(bomb, Content_Encoding="gzip, gzip") as source,
        pytest.raises(SourceRefusedError, match="coded as"),
    ):
        asked(source)


def test_a_redirect_is_not_followed_with_the_key():
    with (
        answering(b"", 307, Location="http://127.0.0.1:1/") as source,
        pytest.raises(SourceRefusedError, match="→ 307"),
    ):
        asked(source)


def test_what_nobody_can_read_is_trouble_and_no_crash():
    deep = b"[" * 200_000

    with answering(deep, 503, Retry_After="\xb2") as source, pytest.raises(SourceAwayError) as busy:
        asked(source)
    with answering(deep) as source, pytest.raises(SourceAwayError, match="not JSON"):
        asked(source).json()

    assert busy.value.retry_after_s is None


class Told(Database):
    """A database that knows one source and stores nothing."""

    def __init__(self) -> None:
        super().__init__(lambda work: work(None))


@pytest.mark.parametrize(
    ("instance", "cursors", "words"),
    [
        (OURS, ["a", "a"], "where we have been"),
        (OURS, ["a", "b", "c", "a"], "where we have been"),
        (OTHER, ["a"], "of instance"),
    ],
)
def test_pages_that_lead_nowhere_or_are_of_another_are_refused(monkeypatch, instance, cursors, words):
    pages = iter([Page(AggregateColumns(), cursor, more=True, instance=instance) for cursor in cursors])
    kept = type("Kept", (), {"cursor": "", "instance": OURS})
    stored = list[str]()
    monkeypatch.setattr(pulling, "read_source", lambda *_: kept)
    monkeypatch.setattr(pulling, "note_source_error", lambda *_: None)
    monkeypatch.setattr(Pull, "_meet", lambda _: None)
    monkeypatch.setattr(Pull, "_page", lambda *_: next(pages))
    monkeypatch.setattr(Pull, "_store", lambda _, page, __: stored.append(page.cursor) or 0)
    source = Source(name="liar", url="http://127.0.0.1:1")
    with SourceClient(source) as client, pytest.raises(BadPageError, match=words):
        Pull(source, client, Told(), Patience(threading.Event(), most_s=1)).run()

    assert stored == cursors[:-1]


def test_what_nobody_thought_of_does_not_end_the_pulling(monkeypatch):
    tried = list[str]()

    def run(self: Pull) -> None:
        tried.append("")
        raise IndexError("a page of nothing")

    monkeypatch.setattr(worker.Pull, "run", run)
    stop = threading.Event()
    pulling_of = worker.ProvinceWorker("", [Source(name="liar", url="http://127.0.0.1:1", every_s=1)], stop)
    thread = threading.Thread(target=pulling_of.run)
    thread.start()
    try:
        wait_until(lambda: len(tried) > 1, what="the source is asked again")
    finally:
        stop.set()
        thread.join()

    assert pulling_of.counts["liar"].failures == len(tried)
    assert pulling_of.counts["liar"].trouble == "IndexError: a page of nothing"


def test_a_key_has_the_name_that_people_compare():
    """Else another key would stand under the name that somebody read out on the telephone."""
    public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    told = {"manifest": "", "signature": bytes(64).hex(), "key_id": "ed25519-66687aadf862bd77"}
    keys = {"keys": [{"key_id": told["key_id"], "public_key": pem_of(public)}]}

    with pytest.raises(SealBrokenError, match=f"is {key_id_of(public)}"):
        paper_of("west/2026-10/1", told, keys)
    assert issubclass(SealBrokenError, SmartparkError)
