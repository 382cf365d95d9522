"""scripts/backup and scripts/restore-drill on real servers: what was dumped comes back whole; damage is noticed."""

import fcntl
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from smartpark_simulators.ports import free_port
from smartpark_storage import connect, load_catalogue, load_registry, refresh_aggregates, store_batches
from smartpark_storage.embedded_account import database_account, programs
from smartpark_storage.roles import DatabaseRole, set_password
from storage_cases import DAY_US, MINUTE_US, NOON, NOON_US, batch, park

ROOT = Path(__file__).resolve().parents[2]
BACKUP, DRILL = ROOT / "scripts" / "backup", ROOT / "scripts" / "restore-drill"
pytestmark = pytest.mark.skipif(shutil.which("flock") is None, reason="flock (util-linux) is not installed")


class Place:
    """A database, a folder for its backups, and the two scripts run as an administrator would."""

    def __init__(self, dsn, folder, path):
        given = conninfo_to_dict(dsn)
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        self.dsn, self.folder = dsn, folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("SMARTPARK_")
        } | {
            **{variable: str(given[name]) for name, variable in names.items() if name in given},
            "SMARTPARK_BACKUP_FOLDER": str(folder),
            "PATH": f"{path}:{os.environ['PATH']}",
        }

    def run(self, script, *arguments, **environment):
        command = ["sh", str(script), *arguments]
        return subprocess.run(
            command, env=self.environment | environment, capture_output=True, text=True, check=False, timeout=600
        )

    def backups(self):
        return sorted(path for path in self.folder.iterdir() if path.is_dir())

    def record(self):
        """What is on record, the oldest first."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(
                "SELECT kind, backup, outcome FROM smartpark.backup_run ORDER BY run_id"
            ).fetchall()

    def databases(self):
        with psycopg.connect(self.dsn) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def fill(dsn):
    """A small park with three days of readings, one of them from long ago, and letters in Chinese."""
    with connect(dsn, application="test") as connection:
        load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
        points = {key: record.point_id for key, record in load_registry(connection).by_key.items()}
        energy, factor = points["hill/M0/active_energy_import"], points["hill/M0/power_factor"]
        for day in range(3):
            start = NOON_US - day * DAY_US
            rows = [(energy, start + i * MINUTE_US, i) for i in range(300)]
            rows += [(factor, start + i * MINUTE_US, i / 7) for i in range(300)]
            store_batches(connection, [batch(day + 1, rows)], received_at=NOON)
        refresh_aggregates(connection)


@pytest.fixture
def plain(plain_database_dsn, tmp_path):
    fill(plain_database_dsn)
    return Place(plain_database_dsn, tmp_path, programs(database_account()))


def redo_checksums(backup):
    """As somebody would who wants damage not to be noticed by its checksum."""
    files = sorted(path for path in backup.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.name}\n" for path in files]
    (backup / "SHA256SUMS").write_text("".join(lines))


def test_what_was_dumped_comes_back_whole_and_leaves_nothing_behind(plain):
    before = plain.databases()
    made = plain.run(BACKUP, "now")
    assert made.returncode == 0, made.stderr
    (backup,) = plain.backups()
    assert {path.name for path in backup.iterdir()} == {
        "about",
        "manifest.tsv",
        "roles.sql",
        "smartpark.dump",
        "SHA256SUMS",
    }
    manifest = dict(line.split("\t", 1) for line in (backup / "manifest.tsv").read_text().splitlines())
    assert manifest["smartpark.reading"].startswith("1800\t")
    assert "ROLE smartpark_api" in (backup / "roles.sql").read_text()
    with psycopg.connect(plain.dsn, autocommit=True) as connection:
        # What changes afterwards is none of the backup's business.
        connection.execute("DELETE FROM smartpark.reading")
    drill = plain.run(DRILL)
    assert drill.returncode == 0, drill.stderr
    assert f"{backup.name} holds" in drill.stderr
    assert plain.databases() == before
    assert plain.record() == [("logical", backup.name, "done"), ("drill", backup.name, "done")]
    with psycopg.connect(plain.dsn) as connection:
        row = connection.execute(
            "SELECT bytes, ended_at - time, now() - ended_at FROM park.backup_run WHERE is_backup AND is_good"
        ).fetchone()
    assert row[0] == sum(path.stat().st_size for path in backup.iterdir())
    assert timedelta(0) <= row[1] < timedelta(minutes=10)
    assert timedelta(0) <= row[2] < timedelta(minutes=10)
    assert all(path.stat().st_mode & 0o077 == 0 for path in [backup, *backup.iterdir()])


def test_a_backup_that_lacks_a_row_or_has_another_value_does_not_hold(plain):
    assert plain.run(BACKUP, "now").returncode == 0
    (backup,) = plain.backups()
    manifest = backup / "manifest.tsv"
    honest = manifest.read_text()
    rows, digest = re.search(r"^smartpark\.point\t(\d+)\t(\d+)$", honest, re.MULTILINE).groups()
    changed = honest.replace(f"{rows}\t{digest}", f"{rows}\t{int(digest) + 1}").replace(
        "smartpark.reading\t1800\t", "smartpark.reading\t1801\t"
    )
    manifest.write_text(changed)
    assert plain.run(DRILL).returncode == 1
    redo_checksums(backup)
    drill = plain.run(DRILL)
    assert drill.returncode == 1
    assert plain.record()[1:] == [("drill", backup.name, "failed")] * 2
    assert "does not hold" in drill.stderr
    assert {line.split("\t")[0] for line in drill.stderr.splitlines() if line[:1] == "<"} == {
        "< smartpark.point",
        "< smartpark.reading",
    }
    assert not [name for name in plain.databases() if "drill" in name]


def test_restoring_for_real_keeps_the_database_and_touches_no_other(plain):
    assert plain.run(BACKUP, "now").returncode == 0
    name = f"{conninfo_to_dict(plain.dsn)['dbname']}_restored"
    try:
        assert plain.run(DRILL, "--keep", name).returncode == 0
        assert plain.record()[1][0::2] == ("restore", "done")
        with psycopg.connect(plain.dsn, dbname=name) as connection:
            assert connection.execute("SELECT name FROM smartpark.park").fetchall() == [("山园",)]
            assert connection.execute("SELECT count(*) FROM park.reading").fetchone() == (1800,)
        again = plain.run(DRILL, "--keep", name)
        assert again.returncode == 1
        assert "cannot be made" in again.stderr
        assert name in plain.databases()
    finally:
        with psycopg.connect(plain.dsn, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def as_backup(place, secret):
    """What the service `backup` is told: its own role, and where its password is."""
    with connect(place.dsn, application="test") as connection:
        set_password(connection, DatabaseRole.BACKUP, secret.read_text())
    return {"PGUSER": DatabaseRole.BACKUP.value, "SMARTPARK_DSN_PASSWORD_FILE": str(secret)}


@pytest.fixture
def secret(tmp_path_factory):
    """File of a password with what libpq's own files would have quoted."""
    file = tmp_path_factory.mktemp("secret") / "password"
    file.write_text(r"a:b\c")
    return file


def test_the_role_that_only_reads_can_back_up_and_its_password_is_nowhere_to_be_seen(plain, secret):
    made = plain.run(BACKUP, "now", **as_backup(plain, secret))
    assert made.returncode == 0, made.stderr
    assert r"a:b\c" not in made.stdout + made.stderr
    (backup,) = plain.backups()
    assert not any(rb"a:b\c" in path.read_bytes() for path in backup.iterdir())
    assert "ROLE smartpark_backup" in (backup / "roles.sql").read_text()
    # Rows of every park, whatever the rules of the tables say, and nobody's to write.
    drill = plain.run(DRILL)
    assert drill.returncode == 0, drill.stderr
    with psycopg.connect(plain.dsn, user="smartpark_backup", password=secret.read_text()) as connection:
        assert connection.execute("SELECT count(*) FROM smartpark.park").fetchone() == (1,)
        row = connection.execute("SELECT rolreplication, rolbypassrls, rolsuper FROM pg_roles WHERE rolname = user")
        assert row.fetchone() == (True, True, False)
        for statement in (
            "DELETE FROM smartpark.park",
            "INSERT INTO smartpark.park SELECT * FROM smartpark.park",
            "DELETE FROM smartpark.backup_run",
            "UPDATE smartpark.backup_run SET outcome = 'failed'",
            "INSERT INTO smartpark.backup_run (kind) VALUES ('drill')",
            "CREATE TABLE smartpark.mine (x integer)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)
        record = "SELECT smartpark.record_backup('logical', 'x', %s, %s, 1, 'done')"
        now = datetime.now(UTC)
        for began, ended in ((now + timedelta(hours=1), now + timedelta(hours=2)), (now, now - timedelta(hours=1))):
            with pytest.raises(psycopg.Error), connection.transaction():
                connection.execute(record, [began, ended])
        row = connection.execute(
            "SELECT array_agg(oid::regprocedure::text) FROM pg_proc WHERE pronamespace = 'smartpark'::regnamespace"
            " AND prosecdef AND has_function_privilege(oid, 'EXECUTE')"
        ).fetchone()
    assert len(row[0]) == 1, "one thing it may write"
    assert plain.record() == [("logical", backup.name, "done"), ("drill", backup.name, "done")]
    for role in ("smartpark_api", "smartpark_ingest", "smartpark_grafana"):
        with psycopg.connect(plain.dsn) as connection:
            connection.execute(f"SET ROLE {role}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT smartpark.record_backup('logical', 'x', now(), now(), 1, 'done')")


@pytest.mark.timescale
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_the_role_that_only_reads_can_back_up_timescaledb(timescale_database_dsn, tmp_path, secret):
    fill(timescale_database_dsn)
    place = Place(timescale_database_dsn, tmp_path, "")
    made = place.run(BACKUP, "now", **as_backup(place, secret))
    assert made.returncode == 0, made.stderr
    drill = place.run(DRILL)
    assert drill.returncode == 0, drill.stderr


class Slow:
    """A pg_dump that fails, or does not come to its end; and a backup with it."""

    def __init__(self, place, folder):
        self.place, self.began = place, folder / "began"
        (folder / "pg_dump").write_text(
            f'#!/bin/sh\n[ -n "$FAILS" ] && exit 1\necho $$ >{self.began}.new\nmv {self.began}.new {self.began}\n'
            "exec sleep 600\n"
        )
        (folder / "pg_dump").chmod(0o755)
        self.path = f"{folder}:{place.environment['PATH']}"

    def start(self, *arguments, **environment):
        """Until its dump is under way."""
        process = subprocess.Popen(
            ["sh", str(BACKUP), *arguments],
            env=self.place.environment | {"PATH": self.path} | environment,
            start_new_session=True,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not self.began.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        return process


@pytest.fixture
def slow(plain, tmp_path_factory):
    return Slow(plain, tmp_path_factory.mktemp("programs"))


def test_a_backup_that_failed_or_was_killed_is_never_taken_for_one_and_on_record_as_what_it_was(plain, slow):
    failed = plain.run(BACKUP, "now", PATH=slow.path, FAILS="1")
    assert failed.returncode == 1
    assert "pg_dump failed" in failed.stderr
    assert plain.backups() == []
    process = slow.start("now")
    another = plain.run(BACKUP, "now")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert "another backup is under way" in another.stderr
    assert "there is no backup" in plain.run(BACKUP, "check").stderr
    assert plain.run(BACKUP, "now").returncode == 0
    assert len(plain.backups()) == 1, "what was left half done is gone"
    assert [outcome for _, _, outcome in plain.record()] == ["failed", "killed", "done"]


@pytest.mark.parametrize("verb", ["now", "daily"])
def test_a_backup_that_is_stopped_ends_all_it_has_started_and_is_on_record(plain, slow, verb):
    soon = datetime.now(UTC) + timedelta(hours=3)
    process = slow.start(verb, SMARTPARK_BACKUP_AT=f"{soon:%H:%M}", TZ="UTC")
    process.terminate()
    # Whoever is left would hold the pipe.
    _, said = process.communicate(timeout=60)
    assert process.returncode == (143 if verb == "now" else 0), said
    assert "stopped before it was complete" in said
    # And the lock.
    free = subprocess.run(["flock", "-n", str(plain.folder / ".lock"), "true"], check=False)
    assert free.returncode == 0
    assert list(plain.folder.glob(".partial-*")) == []
    assert [outcome for _, _, outcome in plain.record()] == ["stopped"]


@pytest.mark.soak
def test_whenever_a_backup_is_stopped_nothing_is_left_running(plain):
    asked = random.Random(31)
    for attempt in range(40):
        verb = ("now", "daily")[attempt % 2]
        for backup in plain.backups():
            shutil.rmtree(backup)
        process = subprocess.Popen(
            ["sh", str(BACKUP), verb],
            env=plain.environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        time.sleep(asked.random() * 1.2)  # from before it hears signals to after it is done
        process.terminate()
        process.communicate(timeout=60)
        # The signal itself, where it came before the script had read its own first lines.
        assert process.returncode in {0, 143, -signal.SIGTERM}
        free = subprocess.run(["flock", "-n", str(plain.folder / ".lock"), "true"], check=False)
        assert free.returncode == 0
        assert list(plain.folder.glob(".partial-*")) == []
    outcomes = {outcome for _, _, outcome in plain.record()}
    assert "stopped" in outcomes
    assert outcomes <= {"stopped", "done"}


def test_a_backup_that_cannot_be_put_on_record_is_one_all_the_same(plain):
    made = plain.run(BACKUP, "now", SMARTPARK_BACKUP_RECORD="dbname=postgres")
    assert made.returncode == 0, made.stderr
    assert "is not on record" in made.stderr
    assert len(plain.backups()) == 1
    assert plain.record() == []


def made_at(folder, moment):
    """An empty backup, complete in form, of some moment."""
    backup = folder / f"{moment:%Y%m%dT%H%M%SZ}-physical"
    backup.mkdir()
    (backup / "about").write_text("kind=physical\n")
    redo_checksums(backup)
    return backup.name


@pytest.fixture
def elsewhere(tmp_path):
    """For what asks no server."""
    return Place("host=/nowhere dbname=none user=nobody", tmp_path, "")


def test_check_says_what_is_wrong_with_the_newest_backup(elsewhere):
    now = datetime.now(UTC)
    assert "there is no backup" in elsewhere.run(BACKUP, "check").stderr
    made_at(elsewhere.folder, now - timedelta(hours=30))
    assert "is 30 hours old" in elsewhere.run(BACKUP, "check").stderr
    assert elsewhere.run(BACKUP, "check", SMARTPARK_BACKUP_MAX_AGE_HOURS="48").returncode == 0
    newest = elsewhere.folder / made_at(elsewhere.folder, now)
    assert elsewhere.run(BACKUP, "check").returncode == 0
    assert elsewhere.run(BACKUP, "check", "--quick").returncode == 0
    (newest / "about").write_text("kind=physicaL\n")
    assert "is damaged" in elsewhere.run(BACKUP, "check").stderr
    (newest / "about").unlink()
    assert "lacks ./about" in elsewhere.run(BACKUP, "check", "--quick").stderr


def test_old_backups_are_forgotten_but_the_newest_and_the_last_of_each_month(plain):
    now = datetime.now(UTC)
    first = now.replace(day=1, hour=0)
    last_month = first - timedelta(days=1)
    kept = [made_at(plain.folder, now - timedelta(days=3)), made_at(plain.folder, last_month - timedelta(days=40))]
    kept.append(made_at(plain.folder, first - timedelta(hours=1)))
    gone = [
        made_at(plain.folder, last_month - timedelta(days=40, hours=1)),
        made_at(plain.folder, now - timedelta(days=900)),
    ]
    made = plain.run(BACKUP, "now", SMARTPARK_BACKUP_KEEP_DAYS="7")
    assert made.returncode == 0, made.stderr
    left = {path.name for path in plain.backups()}
    assert set(kept) < left
    assert not left & set(gone)
    assert len(left) == len(kept) + 1


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"SMARTPARK_BACKUP_AT": "2:30"}, "is an hour and a minute"),
        ({"SMARTPARK_BACKUP_FOLDER": "/nowhere/at/all"}, "is not a folder"),
        ({"SMARTPARK_BACKUP_FOLDER": ""}, "is not set"),
        ({"SMARTPARK_DSN_PASSWORD_FILE": "/nowhere/password"}, "cannot be read"),
    ],
)
def test_what_is_set_wrongly_is_named(elsewhere, setting, says):
    result = elsewhere.run(BACKUP, "daily", **setting)
    assert result.returncode == 1
    assert says in result.stderr


@pytest.mark.parametrize("script", [BACKUP, DRILL])
def test_a_script_explains_itself(elsewhere, script):
    result = elsewhere.run(script, "--help")
    assert result.returncode == 2
    assert f"scripts/{script.name}" in result.stdout


def test_daily_backs_up_at_once_when_there_is_none_and_waits_for_its_hour(plain):
    soon = datetime.now(UTC) + timedelta(hours=3)
    environment = plain.environment | {"SMARTPARK_BACKUP_AT": f"{soon:%H:%M}", "TZ": "UTC"}
    process = subprocess.Popen(["sh", str(BACKUP), "daily"], env=environment, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while "the next one in" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        assert 3600 < int(re.search(r"the next one in (\d+) s", said)[1]) <= 3 * 3600
        assert len(plain.backups()) == 1
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_daily_leaves_no_sleeper_behind_whenever_it_is_stopped(elsewhere):
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-logical"
    (elsewhere.folder / made).mkdir()
    soon = datetime.now(UTC) + timedelta(hours=3)
    environment = elsewhere.environment | {"SMARTPARK_BACKUP_AT": f"{soon:%H:%M}", "TZ": "UTC"}
    for attempt in range(12):
        process = subprocess.Popen(["sh", str(BACKUP), "daily"], env=environment, stderr=subprocess.PIPE, text=True)
        assert "the next one in" in process.stderr.readline()
        time.sleep(attempt * 0.0005)  # up to a few times as long as the shell takes to fork
        process.terminate()
        # Whoever still holds the pipe then is a sleeper of three hours that nobody waits for.
        process.communicate(timeout=30)
        assert process.returncode == 0


# --- TimescaleDB, and whole servers ------------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.timescale
@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_columnstore_and_aggregates_come_back_whole_on_timescaledb(timescale_database_dsn, tmp_path):
    fill(timescale_database_dsn)
    with psycopg.connect(timescale_database_dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT compress_chunk(c) FROM show_chunks('smartpark.reading', older_than => now()) AS c LIMIT 2"
        )
        # As retention leaves it: the hours are known, the readings are gone.
        connection.execute(
            "DELETE FROM smartpark.reading WHERE time < (SELECT min(time) + interval '1 hour' FROM smartpark.reading)"
        )
        jobs = connection.execute("SELECT count(*) FROM timescaledb_information.jobs").fetchone()
    place = Place(timescale_database_dsn, tmp_path, "")
    made = place.run(BACKUP, "now")
    assert made.returncode == 0, made.stderr
    (backup,) = place.backups()
    manifest = dict(line.split("\t", 1) for line in (backup / "manifest.tsv").read_text().splitlines())
    assert int(manifest["smartpark.reading"].split("\t")[0]) > 1000
    assert int(manifest["smartpark.reading_hour"].split("\t")[0]) > 0
    drill = place.run(DRILL)
    assert drill.returncode == 0, drill.stderr
    name = f"{conninfo_to_dict(place.dsn)['dbname']}_kept"
    try:
        assert place.run(DRILL, "--keep", name).returncode == 0
        with psycopg.connect(place.dsn, dbname=name, autocommit=True) as connection:
            assert connection.execute("SELECT count(*) FROM timescaledb_information.jobs").fetchone() == jobs
            assert connection.execute("SHOW timescaledb.restoring").fetchone() == ("off",)
            load_catalogue_again = connection.execute("SELECT count(*) FROM park.reading_hour").fetchone()
            assert load_catalogue_again[0] > 0
    finally:
        with psycopg.connect(place.dsn, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    (backup / "about").write_text((backup / "about").read_text().replace("timescaledb=2", "timescaledb=1"))
    redo_checksums(backup)
    refused = place.run(DRILL)
    assert refused.returncode == 1
    assert "which this server does not have" in refused.stderr


def whole_installation():
    """Folder of a PostgreSQL whose every program runs; the wheel's pg_verifybackup does not."""
    on_path = shutil.which("pg_verifybackup")
    for folder in [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *([Path(on_path).parent] if on_path else [])]:
        asked = [[folder / name, "--version"] for name in ("initdb", "pg_ctl", "pg_verifybackup", "pg_basebackup")]
        if all(Path(command[0]).exists() for command in asked) and all(
            subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in asked
        ):
            return folder
    return None


class OwnServer:
    """A PostgreSQL for one test, under the account that may run it, with the compose's rules of who gets in."""

    def __init__(self, folder):
        self.account, self.programs = database_account(), whole_installation()
        self.folder, self.port = folder, free_port()
        self.work, self.data, self.secret = folder / "work", folder / "data", folder / "work" / "password"
        self.place = Place(
            f"host=127.0.0.1 port={self.port} dbname=smartpark user=postgres", folder / "b", self.programs
        )
        for path in (self.place.folder, self.work, self.data):
            path.mkdir()
        self.secret.write_text("a:b-\\c")
        shutil.copy(ROOT / "deploy/database/pg_hba.conf", folder / "pg_hba.conf")
        self.place.environment |= {
            "SMARTPARK_BACKUP_KIND": "physical",
            "SMARTPARK_DRILL_FOLDER": str(self.work),
            "SMARTPARK_DSN_PASSWORD_FILE": str(self.secret),
            "HOME": str(self.work),
        }
        if self.account is not None:
            for path in (self.place.folder, self.work, self.data, self.secret, folder / "pg_hba.conf", folder):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def run(self, *command):
        who = {} if self.account is None else {"user": self.account.pw_uid, "group": self.account.pw_gid}
        done = subprocess.run(
            [str(word) for word in command],
            env=self.place.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=self.work,
            **who,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def connect(self, *, user="postgres", word=None, **changes):
        given = {"password": word or self.secret.read_text(), "autocommit": True, **changes}
        return psycopg.connect(self.place.dsn, user=user, **given)

    def __enter__(self):
        made = (
            "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "--pwfile",
            self.secret,
            "-A",
            "scram-sha-256",
            "--no-sync",
        )
        self.run(*made)
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -c unix_socket_directories='{self.folder}'"
        options += f" -c hba_file={self.folder}/pg_hba.conf"
        self.run("pg_ctl", "start", "-D", self.data, "-w", "-l", self.work / "log", "-o", options)
        with self.connect(dbname="postgres") as connection:
            connection.execute("CREATE DATABASE smartpark")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "stop", "-D", self.data, "-m", "immediate")


def test_a_physical_backup_is_unpacked_by_one_drill_at_a_time(tmp_path):
    """Where that lies for good, a second one would clear away what the first reads."""
    backup, drills = tmp_path / "backups" / "20260101T000000Z-physical", tmp_path / "drills"
    for folder in (backup, drills / "drill" / "data"):
        folder.mkdir(parents=True)
    (backup / "about").write_text("kind=physical\ndatabase=smartpark\n")
    redo_checksums(backup)
    environment = os.environ | {
        "SMARTPARK_BACKUP_FOLDER": str(backup.parent), "SMARTPARK_DRILL_FOLDER": str(drills), "PGHOST": str(tmp_path)
    }  # fmt: skip
    held = os.open(drills, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = ["sh", str(DRILL)]
        second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (second.returncode, "another drill is under way" in second.stderr) == (1, True), second.stderr
        assert (drills / "drill" / "data").exists()
    finally:
        os.close(held)
    # What one left behind that was killed is no part of the next one; here there is nothing to unpack.
    alone = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert alone.returncode != 0
    assert "under way" not in alone.stderr
    assert list(drills.iterdir()) == []


@pytest.mark.soak
@pytest.mark.skipif(whole_installation() is None, reason="no PostgreSQL is installed whose pg_verifybackup runs")
def test_a_physical_backup_starts_as_a_server_and_can_be_read_to_the_last_row(passable_path):
    """On a server of its own: such a backup holds every database there is."""
    with OwnServer(passable_path) as server:
        with server.connect() as connection:
            connection.execute("CREATE TABLE things AS SELECT i, md5(i::text) FROM generate_series(1, 5000) AS i")
            # As the migrations make it, with the password of this server.
            connection.execute("CREATE ROLE smartpark_backup LOGIN REPLICATION BYPASSRLS IN ROLE pg_read_all_data")
            connection.execute(f"ALTER ROLE smartpark_backup PASSWORD '{server.secret.read_text()}'")
        server.place.environment["PGUSER"] = "smartpark_backup"
        server.run("sh", BACKUP, "now")
        server.place.environment["PGUSER"] = "postgres"
        server.run("sh", BACKUP, "check")
        left_behind = server.work / "drill" / "data" / "base"
        server.run("mkdir", "-p", left_behind)
        server.run("touch", left_behind / "of-one-that-was-killed")
        said = server.run("sh", DRILL)
    assert re.search(r"each of (\d+) rows was read", said)[1] == "5000"
    assert {path.name for path in server.work.iterdir()} == {"log", "password"}


@pytest.mark.soak
@pytest.mark.skipif(whole_installation() is None, reason="no PostgreSQL is installed whose programs all run")
def test_the_rules_of_the_compose_let_its_roles_in_and_nobody_else(passable_path):
    with OwnServer(passable_path) as server:
        with server.connect() as connection:
            assert connection.execute("SELECT error FROM pg_hba_file_rules WHERE error IS NOT NULL").fetchall() == []
            roles = (
                "smartpark_ingest",
                "smartpark_api",
                "smartpark_grafana",
                "smartpark_backup",
                "smartpark_grafana_near",
            )
            for role in (*roles, "stranger"):
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
            connection.execute("GRANT smartpark_grafana TO smartpark_grafana_near")
        for role in roles:
            server.connect(user=role, word="x").close()
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                server.connect(user=role, word="y")
            with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
                server.connect(user=role, word="x", dbname="postgres")
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            server.connect(user="stranger", word="x")
        with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
            server.connect(user="smartpark_api", word="x", host=str(server.folder))
