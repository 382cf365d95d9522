"""Which addresses may be told of events, and how what is sent is signed."""

import pytest
from smartpark.webhooks import (
    WebhookRefusedError,
    allowed_address,
    checked_url,
    read_secret,
    signature,
)

OUTSIDE = "93.184.215.14"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook?x=1",
        "https://example.org:8443/",
        "https://[2606:4700::1111]/",
        "http://127.0.0.1:9000/hook",
        "http://localhost/hook",
        "http://[::1]:9000/",
        "https://localhost/",
    ],
)
def test_addresses_that_may_be_told(url):
    assert checked_url(url).geturl() == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https:///path",
        "https://example.org:port/",
        "https://example.org:0/",
        "https://me@example.org/",
        "https://:secret@example.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://example.org/\r\nHost: inside",
        "file:///etc/passwd",
        "https://192.168.1.10/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://0.0.0.0/",
        "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "https://224.0.0.1/",
        "https://a..b/",
        f"https://{'a' * 64}.example/",
        "https://例子.example/",
        "https://example.org/路径",
    ],
)
def test_addresses_that_may_not(url):
    with pytest.raises(WebhookRefusedError):
        checked_url(url)


def test_private_addresses_only_where_the_installation_allows_them():
    assert checked_url("https://192.168.1.10/", may_be_private=True).hostname == "192.168.1.10"
    assert allowed_address("office", ["192.168.1.10"], may_be_private=True) == "192.168.1.10"
    with pytest.raises(WebhookRefusedError, match="http is for this very machine"):
        checked_url("http://192.168.1.10/", may_be_private=True)
    for never in ("169.254.169.254", "127.0.0.1", "0.0.0.0", "::1"):  # noqa: S104  to be refused
        with pytest.raises(WebhookRefusedError):
            allowed_address("office", [never], may_be_private=True)


def test_a_name_with_one_address_inside_is_refused_whole():
    with pytest.raises(WebhookRefusedError, match="private network"):
        allowed_address("example.org", [OUTSIDE, "10.0.0.1"])
    with pytest.raises(WebhookRefusedError):
        allowed_address("example.org", ["127.0.0.1"])
    assert allowed_address("localhost", ["127.0.0.1"]) == "127.0.0.1"


def test_secrets_are_files_of_a_folder_by_name(tmp_path):
    (tmp_path / "office").write_text("0123456789abcdef\n")
    (tmp_path / "short").write_text("1234")
    assert read_secret(tmp_path, "office") == b"0123456789abcdef"
    for name, words in (
        ("short", "shorter than 16"),
        ("none", "no secret"),
        ("../office", "not the name"),
        (".", "not the name"),
    ):
        with pytest.raises(WebhookRefusedError, match=words):
            read_secret(tmp_path, name)
    with pytest.raises(WebhookRefusedError, match="no folder of secrets"):
        read_secret(None, "office")


def test_a_signature_holds_for_one_body_at_one_time():
    one = signature(b"k" * 16, b'{"a":1}', 100)
    assert one.startswith("t=100,v1=")
    assert len({one, signature(b"k" * 16, b'{"a":2}', 100), signature(b"k" * 16, b'{"a":1}', 101)}) == 3
    assert one != signature(b"x" * 16, b'{"a":1}', 100)
