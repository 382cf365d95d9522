"""Project managers are told in time, once, in their language; webhooks are told every event, signed, in order."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fix_ingest import as_ingest, fetch, load_park
from load_request_cases import CALENDAR, RULES, details
from smartpark.cli import main
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import clocks_of
from smartpark.load_requests.events import Commented, Moved, Opened, happened
from smartpark.load_requests.requests import replay
from smartpark.load_requests.words import Channel, Stage
from smartpark.webhooks import SIGNATURE, signature
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.mail import MailServer, MailSettingsError
from smartpark_ingest.notices.planning import Office
from smartpark_ingest.notices.sending import Channels, deliver_events, send_notices
from smartpark_ingest.notices.worker import NoticeWorker, channels_from_environment
from smartpark_storage import connect
from smartpark_storage.load_requests import (
    ManagerTerm,
    Notice,
    Person,
    Webhook,
    append_event,
    claim_notices,
    insert_request,
    plan_notice,
    put_manager_term,
    put_person,
    put_webhook,
)

OFFICE = Office(RULES, CALENDAR)
PARK = "park"
SECRET = b"a secret of sixteen bytes or more"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE)


class Desk:
    """A park with its people, and requests put straight into the database."""

    def __init__(self, dsn):
        self.dsn = dsn
        load_park(dsn)
        self.events = {}
        with connect(dsn, application="test") as connection:
            put_person(connection, Person("chen", "陈工", "Chen", "chen@example.org"))
            put_person(connection, Person("lin", "林工", "Lin", "lin@example.org", language="en"))
            put_manager_term(connection, ManagerTerm(PARK, "chen", "manager", date(2026, 1, 1)))
            put_manager_term(connection, ManagerTerm(PARK, "lin", "deputy", date(2026, 1, 1)))
            connection.commit()

    def open(self, when="2026-09-24T10:00", **changed):
        event = happened(1, at(when), "chen", Opened(details=details(park=PARK, **changed)))
        request = replay([event], RULES)
        with connect(self.dsn, application="test") as connection:
            clocks = clocks_of(request, RULES, CALENDAR, at(when).date())
            code = insert_request(connection, event, request, clocks)
            connection.commit()
        self.events[code] = [event]
        return code

    def happens(self, code, when, body):
        events = self.events[code]
        events.append(happened(len(events) + 1, at(when), "chen", body))
        request = replay(events, RULES)
        with connect(self.dsn, application="test") as connection:
            append_event(connection, code, events[-1], request, clocks_of(request, RULES, CALENDAR, at(when).date()))
            connection.commit()

    def tell(self, when, channels):
        """One pass at a moment, with the rights of ingest's role."""
        worker = NoticeWorker(as_ingest(self.dsn), threading.Event(), OFFICE, channels, clock=lambda: at(when))
        worker.run_once()
        return worker.totals

    def notices(self):
        return fetch(self.dsn, "SELECT kind, person, attempts, done_at, given_up_at, error FROM smartpark.notice")


@pytest.fixture
def desk(database_dsn):
    return Desk(database_dsn)


@pytest.fixture
def plain_desk(plain_database_dsn):
    return Desk(plain_database_dsn)


def by_mail(server, **more):
    return Channels(mail=MailServer.from_environment(server.environment), **more)


def subjects(server, receiver):
    return [str(message["Subject"]) for message in server.box.to(receiver)]


def test_a_deadline_is_told_once_and_its_passing_to_the_deputy_too(desk, mail_server):
    code = desk.open()
    channels = by_mail(mail_server, console="https://park.example.org/")
    desk.tell("2026-10-16T09:00", channels)
    assert not any("即将到期" in one for one in subjects(mail_server, "chen@example.org"))
    for when in ("2026-10-19T09:00", "2026-10-19T16:00", "2026-10-20T09:00"):
        desk.tell(when, channels)
    (told,) = [m for m in mail_server.box.to("chen@example.org") if "即将到期" in str(m["Subject"])]
    assert str(told["Subject"]) == f"[即将到期] {code} 晋江纺织有限公司 2000 kVA"
    assert "时限 2026-10-22 到期，剩余 3 个工作日。" in told.get_content()
    assert f"https://park.example.org/requests/{code}" in told.get_content()
    assert mail_server.box.to("lin@example.org") == []
    desk.tell("2026-10-23T09:00", channels)
    desk.tell("2026-10-26T09:00", channels)
    (late,) = [m for m in mail_server.box.to("lin@example.org") if "overdue" in str(m["Subject"])]
    assert "Was due on 2026-10-22: 1 working day late." in late.get_content()
    assert sum("已超期" in one for one in subjects(mail_server, "chen@example.org")) == 1


@pytest.mark.parametrize("when", ["2026-10-25T09:00", "2026-10-23T07:59"])
def test_nobody_is_told_on_a_day_off_or_before_the_office_opens(plain_desk, mail_server, when):
    plain_desk.open()
    plain_desk.tell(when, by_mail(mail_server))
    assert mail_server.box.messages == []
    plain_desk.tell("2026-10-26T08:00", by_mail(mail_server))
    assert mail_server.box.messages


def test_every_working_morning_a_manager_hears_of_all_of_theirs(desk, mail_server):
    late, fresh = desk.open(), desk.open("2026-10-22T10:00", applicant="长乐冷链", applied_kva=500)
    desk.tell("2026-10-23T08:30", by_mail(mail_server))
    desk.tell("2026-10-23T17:30", by_mail(mail_server))
    (digest,) = [m for m in mail_server.box.to("chen@example.org") if "业扩日报" in str(m["Subject"])]
    assert str(digest["Subject"]) == "业扩日报 2026-10-23：超期 1, 今日到期 0, 预警 0"
    text = digest.get_content()
    assert "在办 2 件，共 2500 kVA，其中绿色通道 0 件。" in text
    assert late in text
    assert fresh not in text
    desk.tell("2026-10-26T08:30", by_mail(mail_server))
    assert sum("业扩日报" in one for one in subjects(mail_server, "chen@example.org")) == 2


def test_a_green_channel_without_progress_is_escalated_and_progress_ends_that(plain_desk, mail_server):
    code = plain_desk.open(channel=Channel.GREEN)
    plain_desk.tell("2026-09-28T09:00", by_mail(mail_server))
    assert mail_server.box.to("lin@example.org") == []
    plain_desk.tell("2026-09-29T09:00", by_mail(mail_server))
    (told,) = mail_server.box.to("lin@example.org")
    assert "[green channel without progress]" in str(told["Subject"])
    assert "for 2 working days, since 2026-09-24" in told.get_content()
    plain_desk.happens(code, "2026-09-29T10:00", Commented(text="已联系"))
    plain_desk.tell("2026-09-30T09:00", by_mail(mail_server))
    assert len(mail_server.box.to("lin@example.org")) == 1


def test_a_mail_server_that_is_away_gets_the_message_later(plain_desk, mail_server):
    plain_desk.open()
    channels = by_mail(mail_server)
    mail_server.stop()
    totals = plain_desk.tell("2026-10-23T09:00", channels)
    assert totals.put_off == 3
    assert totals.mails == 0
    mail_server.start()
    assert plain_desk.tell("2026-10-23T09:00:30", channels).mails == 0, "it is not asked again at once"
    assert plain_desk.tell("2026-10-23T09:01", channels).mails == 3
    assert {bool(done) for *_, done, _, _ in plain_desk.notices()} == {True}


def test_a_receiver_who_is_refused_holds_nobody_else_up_and_stays_on_record(plain_desk, mail_server):
    plain_desk.open()
    mail_server.box.refuse["lin@example.org"] = "550 no such mailbox"
    totals = plain_desk.tell("2026-10-23T09:00", by_mail(mail_server))
    assert (totals.mails, totals.given_up) == (2, 1)
    (error,) = [row[-1] for row in plain_desk.notices() if row[1] == "lin"]
    assert "550" in error
    assert "no such mailbox" in error


def test_a_worker_killed_after_sending_says_the_same_message_again_under_the_same_name(plain_desk, mail_server):
    plain_desk.open()
    plain_desk.tell("2026-10-23T09:00", Channels())
    with connect(as_ingest(plain_desk.dsn), application="test") as connection:
        in_hand = claim_notices(connection, 20, at("2026-10-23T09:00"))
        connection.commit()
    assert plain_desk.tell("2026-10-23T09:01", by_mail(mail_server)).mails == 0, "they are in somebody's hand"
    assert plain_desk.tell("2026-10-23T09:06", by_mail(mail_server)).mails == len(in_hand) == 3
    names = {f"<{hashlib.sha256(n.key.encode()).hexdigest()[:40]}@smartpark>" for n in in_hand}
    assert {str(message["Message-ID"]) for _, message in mail_server.box.messages} == names


def test_without_a_mail_server_notices_wait_and_after_three_days_they_are_no_news(plain_desk, mail_server):
    plain_desk.open()
    assert plain_desk.tell("2026-10-23T09:00", Channels()).planned.total() == 3
    totals = plain_desk.tell("2026-10-26T17:00", by_mail(mail_server))
    assert totals.given_up == 3
    # Of the three days only the digest of this morning is new.
    assert [m["Subject"].startswith("业扩日报 2026-10-26") for m in mail_server.box.to("chen@example.org")] == [True]


def test_a_request_of_a_park_without_a_manager_is_told_in_the_log(plain_desk, caplog):
    with connect(plain_desk.dsn, application="test") as connection:
        connection.execute("DELETE FROM smartpark.manager_term")
        connection.commit()
    code = plain_desk.open()
    assert plain_desk.tell("2026-10-23T09:00", Channels()).planned.total() == 0
    assert f"{code}: somebody should be told" in caplog.text


class Receiver:
    """Somebody's server: keeps what it is told, answers what it is told to."""

    def __init__(self):
        self.heard, self.answers = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                outer.heard.append((self.headers[SIGNATURE], body, status))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def taken(self):
        return [(json.loads(body)["type"], json.loads(body)["sequence"]) for _, body, s in self.heard if s < 300]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def hooked(desk, receiver, tmp_path):
    (tmp_path / "province").write_bytes(SECRET + b"\n")
    with connect(desk.dsn, application="test") as connection:
        put_webhook(connection, Webhook("province", receiver.url, "province"))
        connection.commit()
    return desk, Channels(webhook_secrets=tmp_path)


def test_a_webhook_is_told_every_event_in_order_signed_and_again_until_it_takes_it(hooked, receiver):
    desk, channels = hooked
    code = desk.open()
    desk.happens(code, "2026-09-24T11:00", Moved(to=Stage.SURVEY))
    receiver.answers = [500]
    now = datetime.now(UTC) + timedelta(seconds=1)
    local = now.astimezone(PARK_ZONE).replace(tzinfo=None)
    assert desk.tell(local.isoformat(), channels).put_off == 1, "the second waits for the first"
    assert receiver.taken() == []
    later = (local + timedelta(minutes=2)).isoformat()
    assert desk.tell(later, channels).deliveries == 2
    assert receiver.taken() == [("load_request.opened", 1), ("load_request.moved", 2)]
    for header, body, _ in receiver.heard:
        moment = int(header.split(",")[0].removeprefix("t="))
        assert header == signature(SECRET, body, moment)
    assert json.loads(receiver.heard[-1][1])["body"] == {"type": "moved", "to": "survey", "note": None}


def test_a_redirect_is_not_followed_and_a_missing_secret_is_waited_for(hooked, receiver, tmp_path):
    desk, channels = hooked
    desk.open()
    receiver.answers = [302]
    local = (datetime.now(UTC) + timedelta(seconds=1)).astimezone(PARK_ZONE).replace(tzinfo=None)
    assert desk.tell(local.isoformat(), channels).put_off == 1
    assert len(receiver.heard) == 1
    secret = (tmp_path / "province").rename(tmp_path / "elsewhere")
    assert desk.tell((local + timedelta(minutes=2)).isoformat(), channels).put_off == 1
    assert len(receiver.heard) == 1, "nothing leaves unsigned"
    secret.rename(tmp_path / "province")
    assert desk.tell((local + timedelta(minutes=10)).isoformat(), channels).deliveries == 1


def test_two_workers_tell_everything_once(plain_desk, receiver, mail_server, tmp_path):
    (tmp_path / "province").write_bytes(SECRET)
    with connect(plain_desk.dsn, application="test") as connection:
        put_webhook(connection, Webhook("province", receiver.url, "province"))
        connection.commit()
    codes = [plain_desk.open() for _ in range(30)]
    plain_desk.tell("2026-10-23T09:00", Channels())
    now = datetime.now(UTC) + timedelta(seconds=1)
    channels = by_mail(mail_server, webhook_secrets=tmp_path)

    def work():
        database = PatientDatabase(
            as_ingest(plain_desk.dsn), application="test", stop=threading.Event(), counters=Counters()
        )
        try:
            while deliver_events(database, channels, now).found_work:
                pass
            while send_notices(database, channels, at("2026-10-23T09:05")).found_work:
                pass
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(json.loads(body)["code"] for _, body, _ in receiver.heard) == sorted(codes)
    ids = [str(message["Message-ID"]) for _, message in mail_server.box.messages]
    # Each is overdue, told to two people, and there is one digest.
    assert len(ids) == len(set(ids)) == 2 * 30 + 1


def test_what_is_to_tell_can_be_looked_at_without_telling(plain_desk, mail_server, monkeypatch, capsys):
    code = plain_desk.open()
    monkeypatch.setattr("smartpark.clock.utc_now", lambda: at("2026-10-23T09:00"))
    monkeypatch.setenv("SMARTPARK_DSN", as_ingest(plain_desk.dsn))
    for name, value in mail_server.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["notices", "show", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["to"], line["kind"]) for line in lines] == [
        ("chen", "overdue"),
        ("lin", "overdue"),
        ("chen", "digest"),
    ]
    assert all(code in line["subject"] + line["text"] for line in lines)
    assert main(["notices", "show"]) == 0
    assert "To: lin\n[overdue]" in capsys.readouterr().out
    assert plain_desk.notices() == []
    assert mail_server.box.messages == []


def test_what_became_of_notices_can_be_asked(plain_desk, mail_server, monkeypatch, capsys):
    code = plain_desk.open()
    monkeypatch.setenv("SMARTPARK_DSN", as_ingest(plain_desk.dsn))
    assert main(["notices", "status", code]) == 0
    assert capsys.readouterr().out == f"No notice is about {code}.\n"
    with connect(plain_desk.dsn, application="test") as connection:
        plan_notice(connection, Notice("k", "overdue", "chen", code, {}), at=at("2026-10-23T09:00"))
        put_webhook(connection, Webhook("office", "https://example.org/", "office"))
        connection.commit()
    assert main(["notices", "status", code, "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["kind"], line["person"], line["attempts"], line["done_at"]) == ("overdue", "chen", 0, None)
    assert main(["notices", "status"]) == 0
    assert "webhook office, waiting 0, done 0, given_up 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SMARTPARK_SMTP_URL": "smtp://joe:hunter2@mail.example.org"}, "holds a user or password"),
        ({"SMARTPARK_SMTP_URL": "http://mail.example.org"}, "smtp://host:587"),
        ({"SMARTPARK_SMTP_URL": "smtp://mail.example.org"}, "SMARTPARK_SMTP_FROM"),
        (
            {
                "SMARTPARK_SMTP_URL": "smtp://mail.example.org",
                "SMARTPARK_SMTP_FROM": "park@example.org",
                "SMARTPARK_SMTP_USERNAME": "park",
            },
            "needs its SMARTPARK_SMTP_PASSWORD_FILE",
        ),
    ],
)
def test_wrong_settings_of_mail_are_told_by_name_and_no_password_is_repeated(given, said):
    with pytest.raises(MailSettingsError, match=said) as refused:
        channels_from_environment(given)
    assert "hunter2" not in str(refused.value)
