"""`smartpark access` and `smartpark audit`: a key is told once, every change has its line in the log."""

import json
import re
import runpy
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from smartpark.access import ROLE_DOMAINS, ROLE_SCOPES, Domain, Role, Scope
from smartpark.cli import main
from smartpark_storage import Connection, connect, load_catalogue
from smartpark_storage.access import (
    FoundSecret,
    SecretRefusal,
    begin_session,
    find_secret,
    grants_of,
    use_login_link,
)
from smartpark_storage.load_requests import Person, put_person
from storage_cases import NOON, park

Run = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "access.md"


@pytest.fixture(scope="module")
def access_dsn(shared_plain_dsn: str) -> str:
    with connect(shared_plain_dsn, application="access") as opened:
        load_catalogue(opened, park(), source="test", loaded_by="test", at=NOON)
        put_person(opened, Person("chen", "陈晓", "Chen Xiao", "chen@example.org", None, "zh", is_active=True))
    return shared_plain_dsn


@pytest.fixture
def db(access_dsn: str) -> Iterator[Connection]:
    with connect(access_dsn, application="access") as opened:
        yield opened


@pytest.fixture
def run(access_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: exit code, standard output, standard error."""
    monkeypatch.setenv("SMARTPARK_DSN", access_dsn)
    monkeypatch.delenv("SMARTPARK_PUBLIC_URL", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def asked(run: Run, *arguments: str) -> Any:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def now() -> datetime:
    return datetime.now(UTC)


def test_from_nothing_to_a_working_key_and_its_end(run: Run, db: Connection, tmp_path: Path):
    asked(run, "access", "client", "add", "province", "--title", "省级平台", "--contact", "ops@example.org")
    granted = asked(run, "access", "grant", "client:province", "province", "--all-parks")
    file = tmp_path / "province.key"
    made = asked(
        run, "access", "key", "make", "province", "--scope", "aggregates:read", "--days", "30", "--into", str(file)
    )
    key = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert key not in json.dumps(made)
    found = find_secret(db, key, now())
    assert isinstance(found, FoundSecret)
    assert (found.client, found.secret_id, found.scopes) == ("province", made["key"], {Scope.AGGREGATES_READ})
    assert timedelta(days=29) < found.expires_at - now() < timedelta(days=30, minutes=1)

    another = asked(run, "access", "key", "rotate", made["key"], "--overlap-days", "0")
    assert find_secret(db, key, now()) is SecretRefusal.REVOKED
    assert isinstance(find_secret(db, another["secret"], now()), FoundSecret)
    assert another["replaces"] == made["key"]

    asked(run, "access", "client", "disable", "province")
    assert find_secret(db, another["secret"], now()) is SecretRefusal.DISABLED
    asked(run, "access", "client", "enable", "province")
    # Whoever pastes the whole key means its id; the log does not get to know it.
    asked(run, "access", "key", "revoke", another["secret"])
    assert find_secret(db, another["secret"], now()) is SecretRefusal.REVOKED
    asked(run, "access", "end-grant", str(granted["grant"]))
    assert grants_of(db, "client:province", now()) == ()

    told = asked(run, "audit", "list", "--action", "cli:access", "--limit", "20")
    assert [line["action"] for line in reversed(told)] == [
        "cli:access client add",
        "cli:access grant",
        "cli:access key make",
        "cli:access key rotate",
        "cli:access client disable",
        "cli:access client enable",
        "cli:access key revoke",
        "cli:access end-grant",
    ]
    assert {line["principal"] for line in told} == {"local"}
    listed = run("access", "key", "list")[1]
    for secret in (key, another["secret"]):
        assert secret.rsplit("_", 1)[1] not in json.dumps(told) + listed
    assert f"{made['key']} province api_key: revoked" in listed


def test_the_role_of_the_api_is_enough(run: Run, access_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SMARTPARK_DSN", make_conninfo(access_dsn, options="-c role=smartpark_api"))
    asked(run, "access", "client", "add", "in-compose", "--title", "x")
    granted = asked(run, "access", "grant", "client:in-compose", "operator", "--park", "hill")
    made = asked(run, "access", "key", "make", "in-compose")
    asked(run, "access", "key", "rotate", made["key"])
    asked(run, "access", "key", "revoke", made["key"])
    asked(run, "access", "end-grant", str(granted["grant"]))
    asked(run, "access", "client", "disable", "in-compose")
    asked(run, "access", "login-link", "chen")
    asked(run, "access", "sessions")
    assert asked(run, "audit", "list", "--limit", "1")[0]["action"] == "cli:access login-link"
    asked(run, "audit", "export", "--into", str(tmp_path / "log"))


def test_a_key_is_printed_alone_on_the_first_line(run: Run):
    run("access", "client", "add", "printer", "--title", "x")
    code, out, _ = run("access", "key", "make", "printer", "--kind", "client_secret")
    assert code == 0
    assert re.fullmatch(r"spc_[a-z0-9]{12}_[0-9A-Za-z]{43}", out.splitlines()[0])
    assert "shown this once" in out


def test_a_file_that_is_there_is_not_written_over_and_no_key_is_made(run: Run, db: Connection, tmp_path: Path):
    run("access", "client", "add", "careful", "--title", "x")
    there = tmp_path / "there.key"
    there.write_text("precious")
    code, out, err = run("access", "key", "make", "careful", "--into", str(there))
    assert (code, out) == (1, "")
    assert "is there already" in err
    assert there.read_text() == "precious"
    gone = tmp_path / "gone.key"
    assert run("access", "key", "make", "nobody-here", "--into", str(gone))[0] == 1
    assert not gone.exists()
    assert asked(run, "access", "key", "list", "--client", "careful") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("client", "add", "No Name", "--title", "x"), "small letters"),
        (("client", "disable", "nobody-here"), "no client nobody-here"),
        (("grant", "client:nobody-here", "province", "--all-parks"), "no client nobody-here"),
        (("grant", "chen", "operator", "--all-parks"), "person:CODE or client:NAME"),
        (("grant", "person:chen", "operator", "--park", "nowhere"), "no park nowhere"),
        (("grant", "person:chen", "operator", "--park", "hill", "--until", "soon"), "'soon' is no instant"),
        (("grant", "person:chen", "operator", "--park", "hill", "--until", "2020-01-01"), "end before it begins"),
        (("key", "revoke", "ab12cd34ef56"), "no key ab12cd34ef56"),
        (("key", "rotate", "ab12cd34ef56"), "no secret ab12cd34ef56"),
        (("end-grant", "999999"), "no grant 999999"),
        (("login-link", "nobody"), "no active person nobody"),
        (("sessions", "--end", "abc"), "no session abc"),
        (("sessions", "--end-all"), "--person CODE"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_and_leaves_no_trace(
    run: Run, db: Connection, arguments: tuple[str, ...], said: str
):
    before = db.execute("SELECT count(*) FROM smartpark.audit_entry").fetchone()
    code, out, err = run("access", *arguments)
    assert (code, out) == (1, "")
    assert said in err
    db.rollback()
    assert db.execute("SELECT count(*) FROM smartpark.audit_entry").fetchone() == before


def test_a_login_link_lets_somebody_in_once(run: Run, db: Connection, tmp_path: Path):
    made = asked(run, "access", "login-link", "chen", "--url", "https://park.example.org/", "--hours", "2")
    address, _, token = made["link"].rpartition("/")
    assert address == "https://park.example.org/login/link"
    assert use_login_link(db, token, at=now()) == "chen"
    file = tmp_path / "link"
    told = run("access", "login-link", "chen", "--into", str(file))[1]
    assert file.read_text().startswith("/login/link/")
    assert file.read_text().strip().rpartition("/")[2] not in told


def test_sessions_are_listed_and_ended(run: Run, db: Connection):
    for _ in range(2):
        begin_session(db, "chen", "link", at=now(), expires_at=now() + timedelta(hours=1))
    db.commit()
    listed = asked(run, "access", "sessions", "--person", "chen")["sessions"]
    assert [row["person"] for row in listed] == ["chen", "chen"]
    assert asked(run, "access", "sessions", "--end", listed[0]["session"])["ended"] == 1
    assert asked(run, "access", "sessions", "--person", "chen", "--end-all") == {"ended": 1, "sessions": []}
    assert "nobody is logged in" in run("access", "sessions")[1]


def test_grants_are_listed_by_whom_and_where(run: Run):
    given = asked(run, "access", "grant", "person:chen", "operator", "--park", "hill", "--until", "2099-01-01")
    [row] = asked(run, "access", "grants", "--of", "person:chen", "--park", "hill")
    assert (row["grant"], row["role"], row["park"]) == (given["grant"], "operator", "hill")
    assert "person:chen operator in hill" in run("access", "grants")[1]
    asked(run, "access", "end-grant", str(given["grant"]))
    assert asked(run, "access", "grants", "--of", "person:chen", "--park", "hill") == []
    assert len(asked(run, "access", "grants", "--of", "person:chen", "--park", "hill", "--ended")) == 1


def test_the_log_is_exported_line_by_line(run: Run, tmp_path: Path):
    run("access", "client", "add", "exporter", "--title", "x")
    file = tmp_path / "log.ndjson"
    told = asked(run, "audit", "export", "--into", str(file), "--action", "cli:")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert told["entries"] == len(lines) > 0
    assert "exporter" in {line["object"] for line in lines}
    assert [line["entry"] for line in lines] == sorted((line["entry"] for line in lines), reverse=True)
    empty = asked(run, "audit", "export", "--into", str(tmp_path / "none"), "--since", "2099-01-01")
    assert empty["entries"] == 0


def table_of(first: str) -> dict[str, dict[str, bool]]:
    """A table of the document whose first head is this: whether each role has each row."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    heads = [cell.split()[0] for cell in lines[start].strip("|").split("|")]
    rows: dict[str, dict[str, bool]] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows[cells[0].strip("`")] = {
            head: cell == "yes" for head, cell in zip(heads, cells, strict=True) if head in set(Role)
        }
    return rows


def test_the_document_says_what_the_roles_bring():
    assert table_of("scope") == {
        scope.value: {role.value: scope in ROLE_SCOPES[role] for role in Role} for scope in Scope
    }
    assert table_of("domain") == {
        domain.value: {role.value: domain in ROLE_DOMAINS[role] for role in Role} for domain in Domain
    }


def new_key() -> str:
    """A key as scripts/init-secrets makes it, before there is a database."""
    script = runpy.run_path(str(ROOT / "scripts" / "init-secrets"), run_name="init_secrets")
    made: str = script["new_api_key"]()
    return made


def test_a_key_that_was_made_beforehand_lets_a_program_in_once_and_ends_what_it_had(
    run: Run, db: Connection, access_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """By the server's own role, as the compose file has it."""
    monkeypatch.setenv("SMARTPARK_DSN", make_conninfo(access_dsn, options="-c role=smartpark_api"))
    file, first, second = tmp_path / "api.key", new_key(), new_key()
    file.write_text(first)
    admit = ["access", "key", "admit", "grafana", "--file", str(file), "--title", "Grafana", "--role", "operator"]
    admit += ["--scope", "platform-alerts:write"]
    assert [asked(run, *admit)["is_new"] for _ in range(2)] == [True, False]
    found = find_secret(db, first, datetime.now(UTC))
    assert isinstance(found, FoundSecret)
    assert (found.client, found.scopes) == ("grafana", {Scope.PLATFORM_ALERTS_WRITE})
    assert [(grant.role, grant.park) for grant in grants_of(db, "client:grafana", datetime.now(UTC))] == [
        (Role.OPERATOR, None)
    ]
    file.write_text(second)
    assert asked(run, *admit)["is_new"]
    assert find_secret(db, first, datetime.now(UTC)) is SecretRefusal.REVOKED
    assert isinstance(find_secret(db, second, datetime.now(UTC)), FoundSecret)


def test_what_was_taken_from_a_program_is_not_given_back_by_its_file(run: Run, db: Connection, tmp_path: Path):
    file = tmp_path / "api.key"
    file.write_text(new_key())
    admit = ["access", "key", "admit", "monitor", "--file", str(file), "--title", "Monitor", "--role", "operator"]
    admit += ["--scope", "platform-alerts:write"]
    key = asked(run, *admit)["key"]
    (grant,) = asked(run, "access", "grants", "--of", "client:monitor")
    assert run("access", "end-grant", str(grant["grant"]))[0] == 0
    assert not asked(run, *admit)["is_new"]
    assert grants_of(db, "client:monitor", datetime.now(UTC)) == ()
    assert run("access", "key", "revoke", key)[0] == 0
    code, _, told = run(*admit)
    assert code != 0
    assert "is revoked; make another one" in told
    file.write_text("spk_nothing")
    assert "no API key of ours" in run(*admit)[2]
    assert "cannot be read" in run(*[str(tmp_path) if one == str(file) else one for one in admit])[2]
