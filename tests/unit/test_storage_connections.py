"""What every connection is told, without a server: sessions in UTC, and a server that vanished is noticed."""

from smartpark_storage.connections import _parameters


def test_a_vanished_server_is_noticed_within_half_a_minute_and_not_after_two_hours():
    told = _parameters("postgresql://db/park", "test")
    assert told["keepalives_idle"] + told["keepalives_interval"] * told["keepalives_count"] <= 30
    assert told["tcp_user_timeout"] <= 30_000
    assert "timezone=UTC" in told["options"]


def test_an_address_may_say_otherwise_and_keeps_its_own_options():
    told = _parameters("postgresql://db/park?keepalives_idle=300&options=-c%20role%3Dx", "test")
    assert "keepalives_idle" not in told
    assert told["options"].startswith("-c role=x ")
