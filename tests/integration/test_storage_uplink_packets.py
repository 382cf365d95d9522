"""What was told of periods that rest on readings: kept as digests, doubtful until answered, forgotten in the end."""

from datetime import UTC, datetime, timedelta

import pytest
from fix_ingest import as_ingest
from smartpark_storage import connect
from smartpark_storage.uplink_packets import acknowledge_packet, forget_packets, mark_packet_sent, told_packets
from smartpark_storage.uplinks import open_uplink

START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
LATER = START + timedelta(minutes=10)


@pytest.fixture
def ingest(database_dsn):
    with connect(as_ingest(database_dsn), application="test") as connection:
        open_uplink(connection, "environment", "hj212")
        open_uplink(connection, "other", "hj212")
        yield connection


def test_a_period_is_doubtful_from_the_first_byte_until_its_answer(ingest):
    def told(uplink="environment", packet="A/2051"):
        found = told_packets(ingest, uplink, packet, START, START + timedelta(hours=1))
        return {start: (one.digest, one.attempts) for start, one in found.items()}

    assert told() == {}
    mark_packet_sent(ingest, "environment", "A/2051", START, LATER)
    mark_packet_sent(ingest, "environment", "A/2051", LATER, LATER)
    acknowledge_packet(ingest, "environment", "A/2051", START, digest="x", now=LATER)
    assert told() == {START: ("x", 1), LATER: ("", 1)}
    # Told again with other data: until the answer nobody knows what the platform has.
    mark_packet_sent(ingest, "environment", "A/2051", START, LATER)
    assert told()[START] == ("", 2)
    assert told("other") == told(packet="B/2051") == {}
    assert told_packets(ingest, "environment", "A/2051", LATER, LATER) == {}


def test_only_what_was_acknowledged_long_ago_is_forgotten(ingest):
    for start in (START, LATER):
        mark_packet_sent(ingest, "environment", "A/2051", start, LATER)
    acknowledge_packet(ingest, "environment", "A/2051", START, digest="x", now=LATER)
    assert forget_packets(ingest, "environment", START + timedelta(minutes=5)) == 0
    assert forget_packets(ingest, "environment", LATER + timedelta(days=1)) == 1
    assert list(told_packets(ingest, "environment", "A/2051", START, LATER + timedelta(hours=1))) == [LATER]
