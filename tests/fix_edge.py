"""Fixtures around an edge agent, on the `broker` of the test: fake ingests and meters."""

from collections.abc import Callable, Iterator

import pytest
from edge_park import Devices, FakeIngest


@pytest.fixture
def fake_ingest(broker) -> Iterator[Callable[..., FakeIngest]]:
    """Start fake ingests on `broker`; they end with the test."""
    started: list[FakeIngest] = []

    def start(edge: str, *, acknowledges: bool = True) -> FakeIngest:
        one = FakeIngest(edge, broker.host, broker.port, acknowledges)
        started.append(one)
        return one

    yield start
    for one in started:
        one.close()


@pytest.fixture
def devices(broker) -> Iterator[Devices]:
    """Meters on `broker`."""
    one = Devices(broker.host, broker.port)
    yield one
    one.close()
