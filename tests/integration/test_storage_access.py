"""Who has access, as the database keeps it: clients, grants, secrets, links, sessions; and the log."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest
from smartpark.access import LOCAL, Grant, Role, Scope
from smartpark.errors import SmartparkError
from smartpark_storage import Connection, connect, load_catalogue
from smartpark_storage.access import (
    AccessConflictError,
    AuditEntry,
    AuditFilter,
    FoundSecret,
    LinkRefusal,
    NewSecret,
    SecretKind,
    SecretRefusal,
    UnknownAccessError,
    add_audit,
    add_client,
    add_grant,
    audit_pages,
    begin_session,
    bind_identity,
    change_client,
    disable_client,
    enable_client,
    end_grant,
    end_session,
    end_session_by_id,
    end_sessions_of,
    find_secret,
    find_session,
    grants_of,
    make_login_link,
    make_secret,
    person_of_identity,
    read_audit,
    read_client,
    read_clients,
    read_grants,
    read_identities,
    read_secrets,
    read_sessions,
    revoke_secret,
    rotate_secret,
    sweep_tokens,
    touch_secret,
    touch_session,
    unbind_identity,
    use_login_link,
)
from smartpark_storage.access.texts import digest_of, make_text
from smartpark_storage.load_requests import Person, put_person
from storage_cases import NOON, park

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_names = count(1)


@pytest.fixture
def db(shared_plain_dsn: str) -> Iterator[Connection]:
    """One database for the module: each test has clients and people of its own."""
    with connect(shared_plain_dsn, application="access") as opened:
        yield opened


@pytest.fixture
def client(db: Connection) -> str:
    """A client that nobody else knows."""
    name = f"program-{next(_names)}"
    add_client(db, name, title="Province", contact="ops@example.org", by="test", at=NOW)
    return name


@pytest.fixture
def somebody(db: Connection) -> str:
    """A person that nobody else knows."""
    person = Person(f"someone{next(_names)}", "陈晓", "Chen Xiao", "chen@example.org", None, "zh", is_active=True)
    put_person(db, person)
    return person.code


@pytest.fixture(scope="module")
def one_park(shared_plain_dsn: str) -> str:
    """A park to grant something in."""
    with connect(shared_plain_dsn, application="access") as opened:
        load_catalogue(opened, park(), source="test", loaded_by="test", at=NOON)
    return "hill"


def key(db: Connection, client: str, *, scopes: tuple[str, ...] = (), life: timedelta = 30 * DAY) -> NewSecret:
    return make_secret(db, client, SecretKind.API_KEY, by="test", at=NOW, expires_at=NOW + life, scopes=scopes)


def test_a_secret_is_found_by_its_text_and_kept_only_as_a_digest(db: Connection, client: str) -> None:
    made = key(db, client, scopes=("aggregates:read",))
    found = find_secret(db, made.text, NOW)
    assert isinstance(found, FoundSecret)
    assert (found.client, found.secret_id, found.title) == (client, made.secret_id, "Province")
    assert found.scopes == {Scope.AGGREGATES_READ}
    kept = db.execute("SELECT * FROM smartpark.access_secret WHERE client = %s", [client]).fetchall()
    assert made.text.rsplit("_", 1)[1] not in repr(kept)
    assert made.text not in repr(made)


def test_what_is_wrong_with_a_secret_is_told_apart(db: Connection, client: str) -> None:
    made, other = key(db, client), key(db, client)
    typo = made.text[:-7] + ("a" if made.text[-7] != "a" else "b") + made.text[-6:]
    assert find_secret(db, typo, NOW) is SecretRefusal.MALFORMED
    assert find_secret(db, "spk_what", NOW) is SecretRefusal.MALFORMED
    assert find_secret(db, made.text, NOW + 30 * DAY) is SecretRefusal.EXPIRED
    assert isinstance(find_secret(db, made.text, NOW + 30 * DAY - MINUTE), FoundSecret)
    assert revoke_secret(db, made.secret_id, by="test", at=NOW)
    assert not revoke_secret(db, made.secret_id, by="test", at=NOW)
    assert find_secret(db, made.text, NOW) is SecretRefusal.REVOKED
    disable_client(db, client, at=NOW)
    assert find_secret(db, other.text, NOW) is SecretRefusal.DISABLED
    enable_client(db, client)
    assert isinstance(find_secret(db, other.text, NOW), FoundSecret)


def test_a_secret_of_nobody_is_unknown_and_so_is_a_wrong_one_under_a_known_id(db: Connection, client: str) -> None:
    made = key(db, client)
    assert find_secret(db, make_text(SecretKind.API_KEY)[1], NOW) is SecretRefusal.UNKNOWN
    revoke_secret(db, made.secret_id, by="test", at=NOW)
    # Another secret under this id: nobody without the right one hears that it was revoked.
    db.execute(
        "UPDATE smartpark.access_secret SET secret_sha256 = %s WHERE secret_id = %s",
        [digest_of(make_text(SecretKind.API_KEY)[1]), made.secret_id],
    )
    assert find_secret(db, made.text, NOW) is SecretRefusal.UNKNOWN


def test_a_rotated_key_works_beside_the_new_one_until_the_overlap_is_over(db: Connection, client: str) -> None:
    old = key(db, client, scopes=("aggregates:read",), life=90 * DAY)
    new = rotate_secret(db, old.secret_id, by="test", at=NOW + 80 * DAY, overlap=7 * DAY)
    assert new.expires_at == NOW + 170 * DAY
    both = NOW + 86 * DAY
    assert isinstance(find_secret(db, old.text, both), FoundSecret)
    found = find_secret(db, new.text, both)
    assert isinstance(found, FoundSecret)
    assert found.scopes == {Scope.AGGREGATES_READ}
    assert find_secret(db, old.text, NOW + 87 * DAY) is SecretRefusal.REVOKED
    with pytest.raises(AccessConflictError, match="already"):
        rotate_secret(db, old.secret_id, by="test", at=both, overlap=DAY)
    assert revoke_secret(db, old.secret_id, by="test", at=both)
    assert find_secret(db, old.text, both) is SecretRefusal.REVOKED
    with pytest.raises(UnknownAccessError, match="no secret"):
        rotate_secret(db, "nothere00000", by="test", at=NOW, overlap=DAY)


def test_tokens_end_with_what_they_were_had_with_and_are_swept(db: Connection, client: str) -> None:
    parent = make_secret(db, client, SecretKind.CLIENT_SECRET, by="test", at=NOW, expires_at=NOW + 2 * HOUR)
    token = make_secret(
        db,
        client,
        SecretKind.ACCESS_TOKEN,
        by=f"client:{client}",
        at=NOW,
        expires_at=NOW + 3 * HOUR,
        had_with=parent.secret_id,
    )
    assert token.text.startswith("spt_")
    assert isinstance(find_secret(db, token.text, NOW + HOUR), FoundSecret)
    assert find_secret(db, token.text, NOW + 2 * HOUR) is SecretRefusal.EXPIRED
    revoke_secret(db, parent.secret_id, by="test", at=NOW + HOUR)
    assert find_secret(db, token.text, NOW + HOUR) is SecretRefusal.REVOKED
    assert sweep_tokens(db, before=NOW + 3 * HOUR) == 0
    assert sweep_tokens(db, before=NOW + 4 * HOUR) == 1
    assert find_secret(db, token.text, NOW) is SecretRefusal.UNKNOWN
    assert [row.secret_id for row in read_secrets(db, client=client)] == [parent.secret_id]
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="revoked, not removed"):
        db.execute("DELETE FROM smartpark.access_secret WHERE secret_id = %s", [parent.secret_id])
    db.rollback()


def test_the_last_use_is_written_once_an_hour(db: Connection, client: str) -> None:
    made = key(db, client)
    assert touch_secret(db, made.secret_id, at=NOW + 5 * MINUTE)
    assert not touch_secret(db, made.secret_id, at=NOW + 50 * MINUTE)
    found = find_secret(db, made.text, NOW)
    assert isinstance(found, FoundSecret)
    assert found.last_used_at == NOW
    assert not found.is_to_be_touched(NOW + 59 * MINUTE)
    assert found.is_to_be_touched(NOW + HOUR)
    assert touch_secret(db, made.secret_id, at=NOW + HOUR)


def test_wrong_clients_scopes_and_ends_are_named(db: Connection, client: str) -> None:
    with pytest.raises(AccessConflictError, match=client):
        add_client(db, client, title="again", contact="", by="test", at=NOW)
    with pytest.raises(SmartparkError, match="small letters"):
        add_client(db, "Not A Name", title="x", contact="", by="test", at=NOW)
    with pytest.raises(SmartparkError, match="park:reed"):
        key(db, client, scopes=("park:reed",))
    with pytest.raises(SmartparkError, match="before it begins"):
        key(db, client, life=-DAY)
    with pytest.raises(UnknownAccessError, match="no client nobody-here"):
        key(db, "nobody-here")
    with pytest.raises(UnknownAccessError, match="no client nobody-here"):
        disable_client(db, "nobody-here", at=NOW)
    change_client(db, client, title="Another", contact="x@example.org")
    row = read_client(db, client)
    assert row is not None
    assert (row.title, row.contact) == ("Another", "x@example.org")
    assert client in [one.client for one in read_clients(db)]


def test_grants_hold_from_a_moment_to_a_moment_and_are_ended(db: Connection, client: str, one_park: str) -> None:
    me = f"client:{client}"
    first = add_grant(db, me, Grant(Role.PROVINCE, one_park), by="test", at=NOW, until=NOW + DAY)
    assert grants_of(db, me, NOW - MINUTE) == ()
    assert grants_of(db, me, NOW) == (Grant(Role.PROVINCE, one_park),)
    assert grants_of(db, me, NOW + DAY) == ()
    everywhere = add_grant(db, me, Grant(Role.PROVINCE, None), by="test", at=NOW)
    assert add_grant(db, me, Grant(Role.PROVINCE, None), by="test", at=NOW + HOUR) == everywhere
    assert end_grant(db, everywhere, by="test", at=NOW + HOUR)
    assert not end_grant(db, everywhere, by="test", at=NOW + HOUR)
    assert grants_of(db, me, NOW + HOUR) == (Grant(Role.PROVINCE, one_park),)
    assert [(row.grant_id, row.park, row.valid_to) for row in read_grants(db, principal=me)] == [
        (first, one_park, NOW + DAY),
        (everywhere, None, NOW + HOUR),
    ]
    assert [row.grant_id for row in read_grants(db, principal=me, at=NOW + 2 * HOUR)] == [first]
    later = add_grant(db, me, Grant(Role.OPERATOR, one_park), by="test", at=NOW + 5 * DAY)
    assert end_grant(db, later, by="test", at=NOW)
    assert grants_of(db, me, NOW + 6 * DAY) == ()
    disable_client(db, client, at=NOW)
    assert grants_of(db, me, NOW) == ()


def test_grants_to_nobody_and_in_no_park_are_refused(db: Connection, client: str, somebody: str) -> None:
    with pytest.raises(UnknownAccessError, match="no park nowhere"):
        add_grant(db, f"client:{client}", Grant(Role.PROVINCE, "nowhere"), by="test", at=NOW)
    with pytest.raises(UnknownAccessError, match="no person no-one"):
        add_grant(db, "person:no-one", Grant(Role.PROVINCE, None), by="test", at=NOW)
    with pytest.raises(SmartparkError, match="nobody who can be granted"):
        add_grant(db, "local", Grant(Role.PROVINCE, None), by="test", at=NOW)
    assert grants_of(db, "local", NOW) == LOCAL.grants
    assert grants_of(db, "nobody", NOW) == ()
    add_grant(db, f"person:{somebody}", Grant(Role.OPERATOR, None), by="test", at=NOW)
    leave(db, somebody)
    assert grants_of(db, f"person:{somebody}", NOW) == ()


def leave(db: Connection, person: str) -> None:
    put_person(db, Person(person, "陈晓", "Chen Xiao", "chen@example.org", None, "zh", is_active=False))


def test_a_login_link_works_once_even_when_many_try_at_once(
    shared_plain_dsn: str, db: Connection, somebody: str
) -> None:
    token = make_login_link(db, somebody, by="test", at=NOW, expires_at=NOW + HOUR)
    answers: list[str | LinkRefusal] = []
    together = threading.Barrier(4)

    def try_it() -> None:
        with connect(shared_plain_dsn, application="link") as mine:
            together.wait(30)
            answers.append(use_login_link(mine, token, at=NOW))

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, answers)) == sorted([somebody, "used", "used", "used"])


def test_why_a_login_link_opens_nothing(db: Connection, somebody: str) -> None:
    token = make_login_link(db, somebody, by="test", at=NOW, expires_at=NOW + HOUR)
    assert use_login_link(db, token, at=NOW + HOUR) is LinkRefusal.EXPIRED
    assert use_login_link(db, "not one", at=NOW) is LinkRefusal.UNKNOWN
    leave(db, somebody)
    assert use_login_link(db, token, at=NOW) is LinkRefusal.UNKNOWN
    with pytest.raises(UnknownAccessError, match="no active person"):
        make_login_link(db, somebody, by="test", at=NOW, expires_at=NOW + HOUR)


def test_a_session_ends_by_itself_by_idleness_and_when_told(db: Connection, somebody: str) -> None:
    idle = 8 * HOUR
    token = begin_session(db, somebody, "link", at=NOW, expires_at=NOW + DAY)
    session = find_session(db, token, now=NOW + HOUR, idle=idle)
    assert session is not None
    assert (session.person, session.name, session.method) == (somebody, "陈晓", "link")
    assert session.is_to_be_touched(NOW + HOUR)
    assert find_session(db, token, now=NOW + idle, idle=idle) is None
    touch_session(db, token, at=NOW + HOUR)
    assert find_session(db, token, now=NOW + idle, idle=idle) is not None
    touch_session(db, token, at=NOW + DAY - HOUR)
    assert find_session(db, token, now=NOW + DAY, idle=idle) is None
    assert end_session(db, token, by=f"person:{somebody}", at=NOW + DAY - HOUR)
    assert find_session(db, token, now=NOW + DAY - HOUR, idle=idle) is None
    other = begin_session(db, somebody, "oidc", at=NOW, expires_at=NOW + DAY, issuer="https://id.example.org")
    held = read_sessions(db, person=somebody, at=NOW)
    assert [one.issuer for one in held] == ["https://id.example.org"]
    assert end_session_by_id(db, held[0].session_id, by="local", at=NOW)
    assert not end_session_by_id(db, held[0].session_id, by="local", at=NOW)
    assert find_session(db, other, now=NOW, idle=idle) is None
    begin_session(db, somebody, "link", at=NOW, expires_at=NOW + DAY)
    assert end_sessions_of(db, somebody, by="local", at=NOW) == 1
    assert len(read_sessions(db, person=somebody)) == 3


def test_whoever_has_left_is_no_longer_in(db: Connection, somebody: str) -> None:
    token = begin_session(db, somebody, "link", at=NOW, expires_at=NOW + DAY)
    leave(db, somebody)
    assert find_session(db, token, now=NOW, idle=DAY) is None


def test_an_identity_is_of_one_person(db: Connection, somebody: str) -> None:
    issuer, subject = "https://id.example.org", f"sub-{somebody}"
    assert person_of_identity(db, issuer, subject) is None
    bind_identity(db, issuer, subject, somebody, at=NOW)
    assert person_of_identity(db, issuer, subject) == somebody
    assert person_of_identity(db, "https://other.example.org", subject) is None
    with pytest.raises(AccessConflictError, match="already"):
        bind_identity(db, issuer, subject, somebody, at=NOW)
    with pytest.raises(UnknownAccessError, match="no person no-one"):
        bind_identity(db, issuer, "another", "no-one", at=NOW)
    assert [one.subject for one in read_identities(db, person=somebody)] == [subject]
    leave(db, somebody)
    assert person_of_identity(db, issuer, subject) is None
    assert unbind_identity(db, issuer, subject)
    assert not unbind_identity(db, issuer, subject)


def entry(number: int, **changed: object) -> AuditEntry:
    given = {"at": NOW + number // 3 * MINUTE, "principal": "client:auditor", "proof": "key:a", "action": "read"}
    return AuditEntry(**(given | {"object": str(number)} | changed))


def test_the_log_is_read_page_by_page_and_none_is_missed_or_doubled(db: Connection) -> None:
    add_audit(db, *(entry(number, detail={"cursor": number}, rows=number) for number in range(20)))
    add_audit(db, entry(99, principal="client:other", action="write.figures", status=403, park="hill"))
    wanted = AuditFilter(principal="client:auditor")
    seen = [one for page in audit_pages(db, wanted) for one in page]
    assert [one.object for one in seen] == [str(number) for number in reversed(range(20))]
    assert seen[0].detail == {"cursor": 19}
    first = read_audit(db, wanted, limit=7)
    last = first[-1]
    assert last.entry_id is not None
    rest = read_audit(db, AuditFilter(principal="client:auditor", below=(last.at, last.entry_id)), limit=7)
    assert [one.object for one in first + rest] == [str(number) for number in range(19, 5, -1)]
    assert [one.principal for one in read_audit(db, AuditFilter(refused_only=True))] == ["client:other"]
    assert [one.status for one in read_audit(db, AuditFilter(action="write.", parks={"hill"}))] == [403]
    assert not read_audit(db, AuditFilter(action="write.", parks=set()))
    assert not read_audit(db, AuditFilter(principal="client:auditor", since=NOW + DAY))
    assert len(read_audit(db, AuditFilter(principal="client:auditor", until=NOW + MINUTE))) == 3


@pytest.mark.parametrize("statement", ["UPDATE {} SET status = 200", "DELETE FROM {}", "TRUNCATE {}"])
def test_nobody_rewrites_the_log(db: Connection, statement: str) -> None:
    add_audit(db, entry(1))
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only added to"):
        db.execute(statement.format("smartpark.audit_entry"))
    db.rollback()
