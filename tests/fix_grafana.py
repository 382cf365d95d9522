"""A strict fake Grafana for tests; whoever asks it for what Grafana does not describe fails."""

from collections.abc import Iterator

import pytest
from fake_grafana import FakeGrafana


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    """A server that runs, with one empty organisation."""
    one = FakeGrafana()
    yield one
    one.close()
    assert one.strange == []
