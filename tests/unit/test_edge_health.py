"""What a source says of itself."""

from smartpark.clock import MICROSECONDS
from smartpark_edge.health import SourceHealth

NOW = 1_795_000_000 * MICROSECONDS
HOUR = 3600 * MICROSECONDS


def test_a_clock_far_ahead_does_not_make_a_silent_source_look_alive():
    health = SourceHealth("meters")
    health.heard(NOW + 8000 * HOUR, NOW)
    assert health.last_reading is None
    health.heard(NOW - HOUR, NOW)
    health.heard(NOW + 60 * MICROSECONDS, NOW)
    health.heard(NOW - 2 * HOUR, NOW)
    assert health.last_reading == NOW + 60 * MICROSECONDS
