"""From a reading that is stored to a message that somebody has: the worker as it runs, real servers, real time."""

import threading
from datetime import timedelta

from alert_notices import SIGNS
from alert_park import Hill, limit
from fix_ingest import as_ingest
from smartpark.alerts.routes import parse_routes
from smartpark.clock import utc_now
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting.notify.channels import Ways
from smartpark_ingest.alerting.notify.keeping import put_file
from smartpark_ingest.alerting.worker import AlertWorker
from smartpark_ingest.mail import MailServer
from waiting import wait_until

ROUTES = {
    "contact": [
        {"code": "chen", "name": "陈工", "channel": "mail", "address": "chen"},
        {"code": "hook", "name": "Hook", "channel": "webhook", "address": "hook", "language": "en"},
    ],
    "route": [{"code": "all", "contacts": ["chen", "hook"]}],
}


def keep(folder, name, *lines):
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)


def test_a_reading_that_breaks_a_limit_is_in_the_mailbox_and_at_the_webhook_and_so_is_its_end(
    plain_database_dsn, tmp_path, mail_server, receiver_of_hooks
):
    hill = Hill(plain_database_dsn, now=utc_now())
    hill.rules(limit())
    with hill.connection() as connection:
        put_file(connection, parse_routes(ROUTES, file="routes"), replaces=False, name="routes")
    keep(tmp_path, "chen", "chen@example.org")
    keep(tmp_path, "hook", receiver_of_hooks.url, SIGNS)
    ways = Ways(secrets=tmp_path, mail=MailServer.from_environment(mail_server.environment))
    stop = threading.Event()
    worker = AlertWorker(as_ingest(plain_database_dsn), stop, builtin_workdays(), ways=ways)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        wait_until(lambda: worker.engine is not None, what="the worker watches")
        begun = utc_now()
        hill.now = begun
        hill.store({"M1/active_power": [(begun, 150.0)]})
        wait_until(lambda: mail_server.box.messages and receiver_of_hooks.taken, what="both are told")
        hill.now = utc_now()
        hill.store({"M1/active_power": [(begun + timedelta(seconds=1), 50.0)]})
        wait_until(
            lambda: len(mail_server.box.messages) == 2 == len(receiver_of_hooks.taken), what="both hear the end"
        )
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    first, last = (str(message["Subject"]) for _, message in mail_server.box.messages)
    assert first.startswith("【严重】告警 功率过高：")
    assert first.endswith("150 kW（限值 100 kW）")
    assert last.startswith("【严重】恢复 功率过高：")
    assert [one.document["type"] for one in receiver_of_hooks.taken] == ["alerts.fired", "alerts.resolved"]
    assert receiver_of_hooks.taken[0].document["alerts"][0]["object"] == "point:hill/M1/active_power"
