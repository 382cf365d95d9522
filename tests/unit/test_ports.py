"""Ports that a server can come back to."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from smartpark_simulators import ports
from smartpark_simulators.ports import free_port, free_ports, is_free


def test_no_port_is_one_that_outgoing_connections_are_given():
    low = ports._first_given_away()
    assert all(10_000 <= port < low for port in free_ports(200))


def test_nobody_who_asks_at_the_same_time_is_told_the_same():
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda _: free_port(), range(200)))
    assert len(set(told)) == 200


def test_where_somebody_listens_is_passed_over(monkeypatch):
    with socket.socket() as listener:
        taken, after, _ = free_ports(3)
        listener.bind(("127.0.0.1", taken))
        listener.listen()
        assert not is_free(taken)
        monkeypatch.setattr(ports, "_place", [taken - 1 - ports._LOWEST])
        assert free_port() == after


@pytest.mark.parametrize(
    ("said", "low"),
    [("32768\t60999\n", 32_768), ("40000 60999\n", 40_000), ("1024 65535\n", 32_768), ("", 32_768), (None, 32_768)],
)
def test_the_system_says_where_its_own_begin(monkeypatch, tmp_path, said, low):
    file = tmp_path / "range"
    if said is not None:
        file.write_text(said)
    monkeypatch.setattr(ports, "_EPHEMERAL", file)
    assert ports._first_given_away() == low


def test_when_all_are_taken_it_says_so(monkeypatch):
    monkeypatch.setattr(ports, "is_free", lambda port: False)
    with pytest.raises(OSError, match="there are no 2 free ports"):
        free_ports(2)
