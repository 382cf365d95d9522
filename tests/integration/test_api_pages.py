"""The page "the park now" as the server renders it, without any script."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from fix_api import NOON, edge_status
from smartpark_storage import DeadReason

M0 = "testpark/M0/active_power"
HTML = {"accept": "text/html"}


class Cells(HTMLParser):
    """Text of each element that is marked with data-live."""

    def __init__(self, html):
        super().__init__()
        self.text = {}
        self._open = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag not in {"br", "img", "link", "meta", "rect"}:
            self._open.append((tag, dict(attrs).get("data-live")))

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            self._open.pop()

    def handle_data(self, data):
        for _, key in self._open:
            if key:
                self.text[key] = (self.text.get(key, "") + data).strip()


def cells(client, path="/parks/testpark", **params):
    answer = client.get(path, params=params, headers=HTML)
    assert answer.status_code == 200
    return Cells(answer.text).text


def test_values_are_in_the_page_itself(plain_client, plain_hand):
    plain_hand.store((M0, NOON - timedelta(seconds=2), 123.4), ("testpark/PV1/active_power", NOON, -66.0))
    plain_hand.hear(edge_status("edge-a", at=NOON, alarms=("spool <full>",)), at=NOON)
    plain_hand.store(dead=(plain_hand.dead(DeadReason.MALFORMED, at=NOON),))

    shown = cells(plain_client)

    assert shown["power"] == "1\u202f300"
    assert shown["power-time"] == "截至 11:59:58"
    assert shown["pv"] == "66.00"
    assert shown["contract"] == "合同需量 1\u202f000 kW 的 123\u202f%"
    assert shown["PV1-now"] == "66.00"
    assert shown["M0-fresh"] == "实时"
    assert shown["agent-edge-a"] == "在线"
    assert shown["agent-edge-a-sources"] == "1/2 已连接"
    assert shown["agent-edge-a-alarm-1"] == "告警：spool <full>"
    assert shown["dead"] == "1"


def test_what_is_unknown_is_a_dash_with_a_reason_and_never_zero(plain_client):
    shown = cells(plain_client, lang="en")

    assert shown["power"] == "—"
    assert shown["power-time"] == "no reading has arrived"
    for key in ("energy", "carbon", "coal"):
        assert shown[key] == "—"
        assert shown[f"{key}-note"] == "not computed yet"
    assert shown["pv-share"] == "—"
    assert shown["completeness"] == "0.0\u202f%"
    assert shown["M0-now"].startswith("—")
    assert shown["M0-fresh"] == "never heard"


def test_the_language_is_chosen_by_the_address_and_remembered(plain_client):
    assert '<html lang="zh-CN"' in plain_client.get("/", headers=HTML).text
    english = plain_client.get("/?lang=en", headers=HTML)
    assert '<html lang="en"' in english.text
    assert "lang=en" in english.headers["set-cookie"]
    assert '<html lang="en"' in plain_client.get("/", headers=HTML).text
    assert '<html lang="en"' in plain_client.get("/?lang=xx", headers=HTML).text


def test_the_appearance_is_chosen_and_remembered(plain_client):
    assert 'data-theme="auto"' in plain_client.get("/parks/testpark").text
    assert 'data-theme="dark"' in plain_client.get("/?theme=dark").text
    assert 'data-theme="dark"' in plain_client.get("/parks/testpark").text


def test_nothing_in_a_page_is_inline_or_from_elsewhere(plain_client):
    page = plain_client.get("/parks/testpark").text

    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses)


def test_the_files_of_a_page_are_there_and_kept(plain_client):
    page = plain_client.get("/parks/testpark").text

    for address in re.findall(r'"(/assets/[^"]+)"', page):
        answer = plain_client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        again = plain_client.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304


@pytest.mark.parametrize(
    "address", ["/assets/0/page.css", "/assets/x/../settings.py", "/assets/x/%2e%2e/settings.py"]
)
def test_other_files_are_not_there(plain_client, address):
    assert plain_client.get(address).status_code == 404


def test_an_unknown_park_is_a_page_for_a_person(plain_client):
    answer = plain_client.get("/parks/none", headers=HTML)

    assert answer.status_code == 404
    assert "没有这个园区" in answer.text


def test_a_name_cannot_smuggle_markup_into_the_page(plain_client, plain_hand, small_park):
    park = small_park.park.model_copy(update={"name": "<script>alert(1)</script>"})
    plain_hand.load(small_park.model_copy(update={"park": park}))

    page = plain_client.get("/parks/testpark").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
