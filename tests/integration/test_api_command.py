"""`smartpark api serve` as a process: where it listens, where it refuses to, and how it ends."""

import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest
from smartpark_api.commands import _listen

COMMAND = [sys.executable, "-c", "import sys; from smartpark.cli import main; sys.exit(main())", "api", "serve"]


def serve(*arguments, dsn, **options):
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env={"SMARTPARK_DSN": dsn, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly(plain_database_dsn, number):
    with serve("--port", "0", dsn=plain_database_dsn) as process:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line + process.stderr.read()
        assert "database: PostgreSQL" in line
        answer = httpx.get(f"{address[0]}readyz", timeout=60)
        process.send_signal(number)
        errors = process.communicate(timeout=60)[1]

    assert answer.status_code == 200
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_it_comes_up_while_the_database_is_away():
    with serve("--port", "0", dsn="postgresql://nobody@127.0.0.1:9/none") as process:
        line = process.stdout.readline()
        address = re.search(r"http://[\d.:]+/", line)
        assert address, line + process.stderr.read()
        health, ready = (httpx.get(address[0] + path, timeout=60) for path in ("healthz", "readyz"))
        process.terminate()
        errors = process.communicate(timeout=60)[1]

    assert "not reachable" in line
    assert (health.status_code, ready.status_code) == (200, 503)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  the addresses in question
def test_it_refuses_the_network_unless_told(host):
    with serve("--host", host, "--port", "0", dsn="postgresql:///none") as process:
        out, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "--allow-network" in errors
    assert out == ""


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with serve("--port", port, dsn="postgresql:///none") as process:
            errors = process.communicate(timeout=60)[1]

    assert process.returncode == 1
    assert port in errors
    assert len(errors.splitlines()) == 1


def test_a_missing_address_of_the_database_is_told():
    with serve(dsn="") as process:
        errors = process.communicate(timeout=60)[1]

    assert process.returncode == 1
    assert "SMARTPARK_DSN" in errors


def test_a_wrong_file_of_holidays_stops_the_start(tmp_path):
    file = tmp_path / "workdays.toml"
    file.write_text('[[day]]\nday = 2026-11-23\nkind = "fiesta"\nsource = "x"\n', encoding="utf-8")
    done = subprocess.run(
        [*COMMAND, "--port", "0"],
        env={"SMARTPARK_DSN": "postgresql:///none", "SMARTPARK_WORKDAYS": str(file), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"{file}: day[0].kind" in done.stderr


def test_small_answers_do_not_wait_for_acknowledgements():
    """Only a socket that names its protocol is known to asyncio as TCP, and has Nagle's algorithm switched off."""
    with _listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
