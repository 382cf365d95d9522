"""No secret ever reaches a log, an error, a problem document, the audit log, the database or a list of processes.

A real server logs all it can; real keys, tokens and cookies are shown to it in the right places and in every wrong
one; then everything that it left behind is searched for them.
"""

import argparse
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from fix_gate import AS_JSON, OWN, AccessServer, fill
from psycopg import sql
from smartpark.access import Grant, Role
from smartpark.cli import build_parser, command_line
from smartpark.clock import utc_now
from smartpark_api.access.secrecy import redacted
from smartpark_storage import connect
from smartpark_storage.access import SecretKind, begin_session, make_login_link, make_secret
from smartpark_storage.load_requests import make_link


@contextmanager
def served(dsn: str, log: Path) -> Iterator[tuple[str, int]]:
    """`smartpark api serve` with the most talkative log; its address and process id."""
    environment = {**os.environ, "SMARTPARK_DSN": dsn, "SMARTPARK_ACCESS": "enforced", "PYTHONWARNINGS": "default"}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command_line("--log-level", "DEBUG", "api", "serve", "--port", "0"),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield re.findall(r"http://[^/]+", process.stdout.readline())[0], process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture
def filled(plain_database_dsn: str) -> AccessServer:
    """A filled database; its server is started by the test."""
    server = AccessServer(plain_database_dsn, "", None)
    fill(server)
    return server


def secrets_of(server: AccessServer) -> dict[str, str]:
    """One of each kind, good for now; the clock of this server is the real one."""
    now = utc_now()
    later = now + timedelta(hours=1)
    with connect(server.dsn, application="test") as connection:
        made = {
            kind.value: make_secret(connection, "chief", kind, by="test", at=now, expires_at=later).text
            for kind in SecretKind
        }
        made["session"] = begin_session(connection, "chen", "link", at=now, expires_at=later)
        made["login link"] = make_login_link(connection, "chen", by="test", at=now, expires_at=later)
        made["applicant"] = make_link(connection, server.requests[OWN], by="chen", at=now, expires_at=later)
        connection.commit()
    made["calendar"] = server.calendar_tokens[OWN]
    key = made["api_key"]
    made["wrong key"] = key[:-8] + "Zz345678"
    return made


def show_everywhere(client: httpx.Client, secret: str) -> str:
    """Show a secret in the right places and in the wrong ones; what programs are answered, together."""
    answers: list[httpx.Response] = []
    bearer = {"authorization": f"Bearer {secret}"}
    cookie = {"cookie": f"session={secret}"}
    for shown in (bearer, cookie, {"authorization": f"Basic {secret}"}, {"authorization": secret}):
        answers += [client.get(path, headers=shown) for path in ("/api/v1/access/me", "/api/v1/aggregates")]
        answers.append(client.post("/api/v1/load-requests", headers=shown, json={"details": secret}))
    for path in (
        f"/api/v1/parks/{secret}",
        f"/api/v1/load-requests/{secret}",
        f"/api/v1/points/{secret}/M0/active_power/series",
        f"/api/v1/calendars/{secret}.ics",
        f"/api/v1/calendars/{secret}x.ics",
        f"/api/v1/nothing/{secret}",
        f"/api/v1/audit?after={secret}",
        f"/api/v1/aggregates?cursor={secret}",
        f"/api/v1/parks?key={secret}",
        f"/applicant/{secret}",
        f"/login/link/{secret}",
        f"/login/oidc/none?code={secret}&state={secret}",
    ):
        answers.append(client.get(path, headers=KEY))
        answers.append(client.get(path))
    answers.append(client.put(f"/api/v1/access/clients/{secret}", headers=KEY, json={"title": "x"}))
    answers.append(client.post("/api/v1/access/grants", headers=KEY, json={"role": secret, "person": secret}))
    answers.append(client.delete(f"/api/v1/access/keys/{secret}", headers=KEY))
    answers.append(client.post("/oauth/token", data={"grant_type": "client_credentials", "client_secret": secret}))
    # A page links itself in other languages, by the address it was asked for; all else has no reason to repeat one.
    return "\n".join(one.text for one in answers if "html" not in one.headers.get("content-type", ""))


KEY: dict[str, str] = {}


def test_no_secret_is_left_anywhere(filled: AccessServer, tmp_path: Path):
    filled.add("chief", Grant(Role.ADMINISTRATOR, None), at=utc_now() - timedelta(days=1))
    secrets = secrets_of(filled)
    KEY["authorization"] = f"Bearer {secrets['api_key']}"
    log = tmp_path / "server.log"
    told = ""
    with (
        served(filled.dsn, log) as (address, pid),
        httpx.Client(base_url=address, headers=AS_JSON, timeout=60) as client,
    ):
        me = client.get("/api/v1/access/me", headers=KEY)
        assert me.status_code == 200, me.text
        for secret in secrets.values():
            told += show_everywhere(client, secret)
        made = client.post("/api/v1/access/clients/chief/keys", headers=KEY, json={}).json()
        secrets["made"] = made["secret"]
        with psycopg.connect(filled.dsn) as connection:
            connection.execute("REVOKE SELECT ON smartpark.person, smartpark.park FROM smartpark_api")
        # Our own fault, with a traceback in the log.
        assert client.get(f"/api/v1/calendars/{secrets['calendar']}.ics").status_code == 500
        assert client.get(f"/api/v1/parks?key={secrets['api_key']}", headers=KEY).status_code == 500
        process = b"\0".join(Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ")).decode()
    logged = log.read_text()
    assert "showed what does not hold" in logged
    assert "Traceback" in logged
    kept = kept_in(filled.dsn)
    assert "chief" in kept
    for kind, secret in secrets.items():
        for place, text in {"log": logged, "answers": told, "database": kept, "process": process}.items():
            assert secret not in text, f"{kind} in {place}: …{around(text, secret)}…"
            assert secret[-28:] not in text, f"part of {kind} in {place}"


def around(text: str, secret: str) -> str:
    """Where it stands, for whoever has to mend it."""
    place = text.find(secret)
    return text[max(0, place - 200) : place + 20]


def kept_in(dsn: str) -> str:
    """All text of all our tables."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'smartpark'").fetchall()
        rows = [
            connection.execute(
                sql.SQL("SELECT t::text FROM smartpark.{} AS t").format(sql.Identifier(table))
            ).fetchall()
            for (table,) in tables
        ]
    return "\n".join(row[0] for found in rows for row in found)


def is_value(action: argparse.Action) -> bool:
    """Whether an option takes a value that is no file."""
    return bool(action.option_strings) and action.nargs != 0 and action.type is not Path


def test_no_command_takes_a_secret_as_an_argument():
    """Whoever lists the processes of a machine reads their arguments: secrets come from files, or are typed in."""
    words = re.compile(r"\b(secret|password|token|key)\b(?!.*\b(file|id)\b)", re.IGNORECASE)
    found: list[str] = []
    parsers = [("smartpark", build_parser())]
    while parsers:
        name, parser = parsers.pop()
        for action in parser._actions:
            choices = getattr(action, "choices", None)
            if isinstance(choices, dict):
                parsers += [(f"{name} {verb}", one) for verb, one in choices.items() if hasattr(one, "_actions")]
            elif is_value(action) and words.search(action.option_strings[-1].replace("-", " ")):
                found.append(f"{name} {action.option_strings[-1]}: {action.help}")
    assert found == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        ("spk_ab12cd34ef56_" + "A1b2" * 10 + "xyz and on", "spk_ab12cd34ef56_*** and on"),
        ("spt_ab12cd34ef56_short", "spt_ab12cd34ef56_***"),
        ("/applicant/abcdefghijkl?x=1", "/applicant/***?x=1"),
        ("__Host-session=abc; lang=zh", "__Host-session=***; lang=zh"),
        ("password: hunter2, user chen", "password: ***, user chen"),
        ("the park 'minhou-demo' has 12 points", "the park 'minhou-demo' has 12 points"),
        ("sha256 " + "0a" * 32, "sha256 " + "0a" * 32),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_text(text: str, left: str):
    assert redacted(text) == left
