"""Ending the sessions of others, as before a restore: theirs end, ours goes on."""

from contextlib import closing

import psycopg
import pytest
from smartpark.cli import main
from smartpark_storage.connections import connect, end_other_sessions


def test_every_other_session_ends_and_our_own_stays(database_dsn: str):
    with connect(database_dsn, application="test") as ours, closing(psycopg.connect(database_dsn)) as theirs:
        theirs.execute("SELECT 1")
        assert end_other_sessions(ours) >= 1
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            theirs.execute("SELECT 1")
        assert ours.execute("SELECT 1").fetchone() == (1,)


def test_the_command_says_how_many(plain_database_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", plain_database_dsn)
    with closing(psycopg.connect(plain_database_dsn)) as theirs:
        theirs.execute("SELECT 1")
        assert main(["database", "disconnect"]) == 0
        assert capsys.readouterr().out == "1 sessions ended\n"
