"""The desk works with the rights of the API's own role, on both kinds of database; dashboards see no people."""

from datetime import date, timedelta

import pytest
from fix_api import NOON, ParkHand
from smartpark.load_requests.events import Commented, Details, Moved
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import RequestKind, Stage, VoltageClass
from smartpark.workdays import builtin_workdays
from smartpark_api.load_requests import service
from smartpark_storage import connect
from smartpark_storage.errors import StorageRefusedError
from smartpark_storage.load_requests import (
    NO_FILTER,
    Attachment,
    ManagerTerm,
    Person,
    SavedView,
    Webhook,
    begin_idempotent,
    calendar_of_link,
    delete_manager_term,
    delete_saved_view,
    finish_idempotent,
    insert_attachment,
    make_calendar_link,
    make_link,
    put_manager_term,
    put_person,
    put_saved_view,
    put_webhook,
    read_attachments,
    read_calendar_links,
    read_links,
    request_of_link,
    reserved_requests,
    revoke_calendar_link,
    revoke_link,
)

DETAILS = Details(
    park="testpark",
    applicant="厂",
    kind=RequestKind.NEW_SUPPLY,
    applied_kva=500,
    voltage=VoltageClass.KV10,
    contact_role="engineer",
)


def test_all_of_the_desk_is_within_the_rights_of_its_role(park_hand: ParkHand):
    with connect(park_hand.dsn, application="test") as connection:
        connection.execute("SET ROLE smartpark_api")
        put_person(connection, Person("chen", "陈", "Chen", ""))
        put_manager_term(connection, ManagerTerm("testpark", "chen", "manager", date(2026, 1, 1)))
        put_webhook(connection, Webhook("office", "https://example.org/", "office"))
        desk = service.Desk(connection, builtin_load_request_rules(), builtin_workdays(), NOON, "chen")
        assert begin_idempotent(connection, "k", "chen", "f", at=NOON) is None
        seen = service.open_request(desk, DETAILS)
        finish_idempotent(connection, "k", 201, {"code": seen.code})
        seen = service.act(desk, seen.code, Moved(to=Stage.SURVEY), expected=seen.version)
        service.act(desk, seen.code, Commented(text="-"), expected=None)
        assert service.board(desk, NO_FILTER).count == 1
        assert service.kpis(desk, NO_FILTER, date(2026, 1, 1), date(2027, 1, 1)).received.count == 1
        assert list(reserved_requests(connection, "testpark")) == []
        document = Attachment("0" * 32, seen.code, "a.pdf", "other", "application/pdf", 1, "0" * 64, "chen", NOON)
        insert_attachment(connection, document)
        assert read_attachments(connection, code=seen.code) == [document]
        token = make_link(connection, seen.code, by="chen", at=NOON, expires_at=NOON + timedelta(days=1))
        assert request_of_link(connection, token, NOON) == seen.code
        assert revoke_link(connection, read_links(connection, seen.code)[0].link_id, at=NOON)
        token = make_calendar_link(connection, by="chen", at=NOON, park="testpark")
        assert calendar_of_link(connection, token) == read_calendar_links(connection)[0]
        assert revoke_calendar_link(connection, read_calendar_links(connection)[0].link_id, at=NOON)
        assert calendar_of_link(connection, token) is None
        put_saved_view(connection, SavedView("chen", "v", "stage=survey"))
        assert delete_saved_view(connection, "chen", "v")
        assert delete_manager_term(connection, "testpark", "manager", date(2026, 1, 1))
        connection.commit()

        connection.execute("SET ROLE smartpark_grafana")
        with pytest.raises(StorageRefusedError):
            service.view(desk, seen.code)
        connection.rollback()
        connection.execute("SET ROLE smartpark_grafana")
        [row] = connection.execute("SELECT code, stage FROM park.load_request").fetchall()
        assert row == (seen.code, "survey"), "dashboards have the view, without people"
