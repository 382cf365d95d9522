"""The small park of `derive_park` on a fresh database of each kind."""

import pytest
from derive_park import DerivePark
from gauge_park import GaugePark
from smartpark_storage import Connection


@pytest.fixture
def hill(connection: Connection) -> DerivePark:
    """The park, with its catalogue loaded and no readings."""
    return DerivePark(connection)


@pytest.fixture
def gauges(connection: Connection) -> GaugePark:
    """The park of `gauge_park`, with its catalogue loaded and no readings."""
    return GaugePark(connection)
