"""Words of NECC-NHJC: numbers to JSON and back, when each period may be told, and what counts as an answer."""

import doctest
import json
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark import uplinks
from smartpark.clock import PARK_ZONE
from smartpark.errors import InvalidFileError
from smartpark.tomlfile import parse_model
from smartpark.uplinks import nhjc
from smartpark.uplinks.nhjc_settings import (
    CipherMethod,
    Encryption,
    Form,
    Item,
    KeyForm,
    NhjcSettings,
    Platform,
    Quality,
)
from smartpark_ingest.uplinks import pacing
from smartpark_ingest.uplinks.value_ciphers import BlockCipher, KeyFormError, key_of, read_key, write_key
from smartpark_simulators.uplinks.commands import NHJC_FAULTS
from smartpark_simulators.uplinks.nhjc_platform import PlatformCipher, PlatformFault

FIRST_STATED = {
    "deviceId": "D1",
    "enterpriseCode": "91350000XXXXXXXXXX",
    "data": [
        {
            "dataCode": "00-00-0000-023300-11",
            "dataValue": 123.45,
            "inputType": 4,
            "statType": 1,
            "statDate": "2026-11-21 00:00:00",
            "uploadDate": "2026-11-22 01:38:00",
            "scope": 1,
            "valid": True,
        }
    ],
}
"""The message as two public implementations of the enterprises' side send it."""

DAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
"""Midnight of the 21st in the park's zone."""
AT_UPLOAD = datetime(2026, 11, 21, 17, 38, tzinfo=UTC)
"""01:38 of the 22nd."""


def item(**changed):
    given = {
        "park": "park",
        "indicator": "electricity_consumption",
        "grain": "day",
        "data_code": "00-00-0000-023300-11",
        "stat_type": "day",
        "decimals": 2,
    }
    return Item(**(given | changed))


def settings(**changed):
    document = {
        "uplink": {"name": "up", "kind": "nhjc"},
        "delivery": {"since": date(2026, 1, 1)},
        "platform": {
            "register_url": "https://platform.example.org/register",
            "enterprise_code": "91350000MA2XXXXX0X",
            "region": "350121",
        },
        "form": {"valid": "boolean"},
        "quality": {"least_completeness": 0.9},
        "item": [
            {
                "park": "park",
                "indicator": "electricity_consumption",
                "grain": "day",
                "data_code": "00-00-0000-023300-11",
                "stat_type": "day",
                "decimals": 2,
            }
        ],
    }
    for path, value in changed.items():
        table, _, key = path.partition("__")
        if key:
            document.setdefault(table, {})[key] = value
        else:
            document[table] = value
    return document


def problems(**changed):
    with pytest.raises(InvalidFileError) as wrong:
        parse_model(settings(**changed), NhjcSettings, file="up.toml")
    return "\n".join(str(problem) for problem in wrong.value.problems)


@pytest.mark.parametrize("module", [uplinks, nhjc, pacing], ids=lambda one: one.__name__)
def test_examples_say_what_comes_out(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


# --- the message ---


def test_the_message_is_the_one_that_is_known_from_the_field():
    said = nhjc.told(item(), Quality(least_completeness=0.9), 123.45, 1.0)
    entry = nhjc.entry(item(), Form(valid="boolean"), said, DAY, AT_UPLOAD)
    message = nhjc.upload("D1", "91350000XXXXXXXXXX", [entry])
    assert message == FIRST_STATED
    assert list(message["data"][0]) == list(FIRST_STATED["data"][0])
    assert nhjc.decode(nhjc.encode(message)) == FIRST_STATED


@pytest.mark.parametrize(
    ("form", "key", "written"),
    [
        ({"valid": "boolean"}, "valid", True),
        ({"valid": "zero_is_valid"}, "valid", 0),
        ({"valid": "boolean", "stat_date": "start"}, "statDate", "2026-11-21 00:00:00"),
        ({"valid": "boolean", "stat_date": "end"}, "statDate", "2026-11-22 00:00:00"),
        ({"valid": "boolean", "value": "number"}, "dataValue", 123.45),
        ({"valid": "boolean", "value": "text"}, "dataValue", "123.45"),
    ],
)
def test_each_contradiction_of_the_field_can_be_read_both_ways(form, key, written):
    entry = nhjc.entry(item(), Form(**form), nhjc.Told(Decimal("123.45"), is_valid=True), DAY, AT_UPLOAD)
    assert entry[key] == written
    assert type(entry[key]) is type(written)


def test_what_is_not_valid_is_written_in_both_readings():
    said = nhjc.Told(Decimal(1), is_valid=False)
    written = [nhjc.entry(item(), Form(valid=v), said, DAY, AT_UPLOAD)["valid"] for v in ("boolean", "zero_is_valid")]
    assert written == [False, 1]
    assert [type(one) for one in written] == [bool, int]


@pytest.mark.parametrize(
    ("stat_type", "grain", "number", "start", "end"),
    [
        ("real_time", "hour", 0, "2026-10-31 23:00:00", "2026-11-01 00:00:00"),
        ("day", "day", 1, "2026-10-31 00:00:00", "2026-11-01 00:00:00"),
        ("month", "month", 2, "2026-10-01 00:00:00", "2026-11-01 00:00:00"),
        ("year", "year", 3, "2026-01-01 00:00:00", "2027-01-01 00:00:00"),
    ],
)
def test_periods_are_those_of_the_parks_calendar(stat_type, grain, number, start, end):
    begins = datetime.fromisoformat(start).replace(tzinfo=PARK_ZONE)
    one, said = item(stat_type=stat_type, grain=grain), nhjc.Told(Decimal(1), is_valid=True)
    by_start = nhjc.entry(one, Form(valid="boolean"), said, begins, AT_UPLOAD)
    by_end = nhjc.entry(one, Form(valid="boolean", stat_date="end"), said, begins, AT_UPLOAD)
    assert (by_start["statType"], by_start["statDate"], by_end["statDate"]) == (number, start, end)
    assert nhjc.stat_type_of(number) == stat_type


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.integers(0, 6))
def test_a_value_is_the_nearest_decimal_and_is_never_written_with_an_exponent(value, decimals):
    said = nhjc.told(item(decimals=decimals), Quality(least_completeness=0), value, 1.0)
    with localcontext(prec=700):
        assert abs(said.value - Decimal(repr(value))) <= Decimal(1).scaleb(-decimals) / 2
    written = nhjc.entry(item(), Form(valid="boolean", value="text"), said, DAY, AT_UPLOAD)["dataValue"]
    assert "e" not in written.lower()
    assert written != "-0"
    assert Decimal(written) == said.value


# --- what is told ---


def test_a_missing_value_is_never_zero_and_a_zero_is_told():
    quality = Quality(least_completeness=0.9, below="invalid")
    assert nhjc.told(item(), quality, None, 1.0) == "no value"
    assert nhjc.told(item(), quality, None, 1.0, was_told=True).endswith("the platform has the one of before")
    assert nhjc.told(item(), quality, 0.0, 1.0) == nhjc.Told(Decimal("0.00"), is_valid=True)
    assert str(nhjc.told(item(), quality, -0.0, 1.0).value) == "0.00"


@pytest.mark.parametrize(
    ("below", "completeness", "said"),
    [
        ("withhold", 0.9, True),
        ("withhold", 0.8999999761581421, True),  # nine tenths in single precision
        ("withhold", 0.899, "completeness 89.9 % is below 90.0 %"),
        ("withhold", 0.5, "completeness 50.0 % is below 90.0 %"),
        ("invalid", 0.5, False),
        ("tell", 0.5, True),
    ],
)
def test_what_is_not_complete_enough_is_withheld_or_told_as_settings_say(below, completeness, said):
    found = nhjc.told(item(), Quality(least_completeness=0.9, below=below), 1.0, completeness)
    assert (found if isinstance(found, str) else found.is_valid) == said


def test_the_digest_knows_what_is_said_and_not_how_complete_it_is():
    quality, form = Quality(least_completeness=0.5), Form(valid="boolean")
    told = [nhjc.told(item(), quality, value, part) for value, part in ((1.0, 1.0), (1.001, 0.9), (1.01, 1.0))]
    digests = [nhjc.digest(item(), form, one) for one in told]
    assert digests[0] == digests[1] != digests[2]
    assert nhjc.digest(item(input_type=5), form, told[0]) != digests[0]
    forms = {
        nhjc.form_digest(*parts)
        for parts in (
            (item(), form, quality),
            (item(scale="0.001"), form, quality),
            (item(), Form(valid="zero_is_valid"), quality),
            (item(), form, Quality(least_completeness=0.9)),
        )
    }
    assert len(forms) == 4


# --- when ---


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.times())  # noqa: DTZ001  local, as clocks show it
def test_a_period_is_told_from_the_devices_time_of_day_on_after_it_has_ended(local, upload_time):
    now = local.replace(tzinfo=PARK_ZONE)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ready = nhjc.ready_before(upload_time, now.astimezone(UTC))
    last_upload = midnight if now.time() >= upload_time else midnight - timedelta(days=1)
    assert ready["day"] == last_upload
    for grain in ("month", "year"):
        assert ready[grain] <= ready["day"]
        assert ready[grain].astimezone(PARK_ZONE).day == 1
    assert timedelta(0) <= now - ready["hour"] < timedelta(hours=1)


# --- encryption ---


@pytest.mark.parametrize("method", [CipherMethod.AES_128_ECB, CipherMethod.SM4_ECB])
def test_every_value_is_hex_of_whole_blocks_and_keys_stay_readable(method):
    cipher = BlockCipher(method, b"0123456789abcdef")
    written = json.loads(nhjc.encode(FIRST_STATED, cipher))
    assert list(written) == ["deviceId", "enterpriseCode", "data"]
    values = [written["deviceId"], written["enterpriseCode"], *written["data"][0].values()]
    assert all(len(bytes.fromhex(value)) % 16 == 0 for value in values)
    assert "123.45" not in json.dumps(written)
    read = nhjc.decode(nhjc.encode(FIRST_STATED, cipher), PlatformCipher(method, b"0123456789abcdef"))
    assert (
        read["data"][0] | {"dataValue": 123.45, "inputType": 4, "statType": 1, "scope": 1, "valid": True}
        == (FIRST_STATED["data"][0])
    )
    assert [read["data"][0][key] for key in ("dataValue", "statType", "valid")] == ["123.45", "1", "true"]


@pytest.mark.parametrize(
    ("method", "secret"),
    [
        # FIPS 197, appendix B; GB/T 32907-2016, appendix A: key, plain text, cipher text of one block.
        (
            CipherMethod.AES_128_ECB,
            (
                "2b7e151628aed2a6abf7158809cf4f3c",
                "3243f6a8885a308d313198a2e0370734",
                "3925841d02dc09fbdc118597196a0b32",
            ),
        ),
        (
            CipherMethod.SM4_ECB,
            (
                "0123456789abcdeffedcba9876543210",
                "0123456789abcdeffedcba9876543210",
                "681edf34d206965e86b3e94f536e4246",
            ),
        ),
    ],
)
def test_the_ciphers_are_those_of_the_standards(method, secret):
    key, plain, expected = map(bytes.fromhex, secret)
    assert BlockCipher(method, key).encrypt(plain)[:16] == expected


@given(st.text(), st.sampled_from([CipherMethod.AES_128_ECB, CipherMethod.SM4_ECB]))
def test_what_is_encrypted_comes_back(text, method):
    message = {"a": text, "b": [{"c": text}]}
    cipher = BlockCipher(method, b"0123456789abcdef")
    assert nhjc.decode(nhjc.encode(message, cipher), cipher) == message


def test_another_key_or_no_hex_is_a_message_that_cannot_be_read():
    body = nhjc.encode(FIRST_STATED, BlockCipher(CipherMethod.SM4_ECB, b"0123456789abcdef"))
    for wrong in (body.replace(b'"data"', b'"data":[1],"x"'), b'{"a": 1}', b'{"a": "zz"}', b'{"a": "00"}'):
        with pytest.raises(nhjc.NhjcFormError):
            nhjc.decode(wrong, BlockCipher(CipherMethod.SM4_ECB, b"0123456789abcdef"))
    with pytest.raises(nhjc.NhjcFormError):
        nhjc.decode(body, BlockCipher(CipherMethod.SM4_ECB, b"another key here"))


@pytest.mark.parametrize(
    ("text", "form", "complaint"),
    [
        ("short", KeyForm.TEXT, "5 bytes as text"),
        ("xyz", KeyForm.HEX, "not hex"),
        ("0123", KeyForm.HEX, "2 bytes as hex"),
        ("!", KeyForm.BASE64, "not base64"),
    ],
)
def test_a_key_that_is_of_no_use_is_refused_without_showing_it(text, form, complaint):
    with pytest.raises(KeyFormError, match=complaint) as wrong:
        key_of(text, form)
    assert text not in str(wrong.value).replace("16", "")
    assert key_of("30313233343536373839616263646566", KeyForm.HEX) == b"0123456789abcdef"
    assert key_of("MDEyMzQ1Njc4OWFiY2RlZg==", KeyForm.BASE64) == b"0123456789abcdef"


def test_a_key_that_a_platform_gave_is_kept_for_ones_own_eyes(tmp_path):
    file = tmp_path / "key"
    for secret in ("0123456789abcdef", "fedcba9876543210"):
        write_key(file, secret)
        assert read_key(file, KeyForm.TEXT) == secret.encode()
        assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
    with pytest.raises(KeyFormError, match="cannot be kept"):
        write_key(tmp_path / "no" / "key", "0123456789abcdef")


# --- answers ---


def answer(**changed):
    return json.dumps({"responseCode": "0", "responseMessage": "成功"} | changed).encode()


def test_only_a_clear_yes_is_a_yes():
    assert nhjc.answered(answer())["responseMessage"] == "成功"
    assert nhjc.answered(answer(responseCode=0))
    with pytest.raises(nhjc.NhjcRefusedError, match="the platform answers 1: 解密失败"):
        nhjc.answered(answer(responseCode="1", responseMessage="解密失败"))


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"0", b"<html>", b'{"responseCode": null}', b'{"responseCode": false}', b"\xff", b"[" * 9999],
)
def test_rubbish_is_neither_yes_nor_no(body):
    with pytest.raises(nhjc.NhjcAnswerError):
        nhjc.answered(body)


def test_an_answer_that_is_not_understood_is_not_shown():
    for body in (b'{"secretKey": "0123456789abcdef"', b'{"secretKey": "0123456789abcdef"}'):
        with pytest.raises(nhjc.NhjcAnswerError) as wrong:
            nhjc.answered(body)
        assert "0123" not in str(wrong.value)


REGISTERED = {
    "deviceId": "D1",
    "centerDataURL": "https://platform.example.org/upload",
    "centerInfoDownloadURL": "https://platform.example.org/info",
    "downloadBaseDataURL": "https://platform.example.org/base",
    "loadDicVersionURL": "https://platform.example.org/dictionary",
    "uploadTime": "01:38:00",
    "secretKey": "0123456789abcdef",
}
HOSTS = frozenset({"platform.example.org"})


def test_a_registration_brings_device_addresses_and_the_time_of_day():
    found = nhjc.registration(REGISTERED, HOSTS)
    assert (found.device, found.upload_time, found.secret) == ("D1", time(1, 38), "0123456789abcdef")
    assert nhjc.registration({k: v for k, v in REGISTERED.items() if k != "secretKey"}, HOSTS).secret == ""


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("deviceId", None, "no deviceId"),
        ("deviceId", "", "no deviceId"),
        ("uploadTime", "half past one", "uploadTime is 'half past one'"),
        ("centerDataURL", "http://platform.example.org/upload", "is not https"),
        ("centerDataURL", "https://platform.example.org:99999/upload", "centerDataURL of the registration: Port"),
        ("centerDataURL", "https://platform.example.org/ x", "no address as it is sent"),
        ("deviceId", "D\0", "deviceId of the platform's answer is too long, or holds signs that are none"),
        ("deviceId", "D" * 501, "deviceId of the platform's answer is too long"),
        ("centerDataURL", "https://elsewhere.example.org/upload", "leads to elsewhere.example.org"),
        ("loadDicVersionURL", "https://user:word@platform.example.org/", "no user or password"),
    ],
)
def test_a_registration_that_lacks_something_or_leads_elsewhere_is_no_registration(key, value, complaint):
    with pytest.raises(nhjc.NhjcAnswerError, match=complaint):
        nhjc.registration(REGISTERED | {key: value}, HOSTS)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["responseCode", "responseMessage", "deviceId"]), anything))
def test_whatever_a_platform_answers_is_a_yes_or_an_error_that_can_be_kept(said):
    told = ""
    try:
        assert str(nhjc.answered(json.dumps(said).encode())["responseCode"]) == "0"
    except (nhjc.NhjcAnswerError, nhjc.NhjcRefusedError) as error:
        told = str(error)
    assert told.isprintable()


@given(
    st.sampled_from(sorted(REGISTERED)), anything | st.text(st.characters(max_codepoint=127)).map("https://".__add__)
)
def test_whatever_a_registration_says_is_kept_or_refused(key, value):
    try:
        found = nhjc.registration(REGISTERED | {key: value}, HOSTS)
    except nhjc.NhjcAnswerError:
        return
    assert found.device.isprintable()
    assert found.upload_url.startswith("https://platform.example.org")


def test_codes_are_found_however_base_data_are_nested():
    nested = {"a": [{"dataCode": "1", "children": [{"dataCode": "2"}]}, {"dataCode": None}], "dataCode": "3"}
    assert nhjc.data_codes(nested) == {"1", "2", "3"}
    assert nhjc.data_codes([]) == frozenset()


# --- settings ---


def test_settings_of_the_documentation_are_valid():
    root = Path(__file__).resolve().parents[2]
    text = (root / "deploy" / "uplinks" / "nhjc.example.toml").read_text(encoding="utf-8")

    found = parse_model(tomllib.loads(text), NhjcSettings, file="example")
    assert {one.stat_type.value for one in found.item} == {"real_time", "day", "month"}


def test_every_problem_is_named_with_its_key():
    found = problems(
        platform__register_url="http://platform.example.org/",
        form__valid="yes",
        quality__least_completeness=90,
        delivery__keep_days=30,
        encryption__method="aes-128-ecb",
    )
    for complaint in (
        "up.toml: platform.register_url: 'http://platform.example.org/' is not https",
        "up.toml: form.valid:",
        "up.toml: quality.least_completeness:",
        "up.toml: delivery.keep_days:",
        "up.toml: encryption: values are encrypted with a key; key_file says where it lies",
    ):
        assert complaint in found


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"indicator": "no_such"}, "there is no indicator 'no_such'"),
        ({"grain": "hour"}, "stat_type day is told from grain day, not hour"),
        ({"grain": "15min", "stat_type": "real_time"}, "numbers are published by hour"),
        ({"data_code": "023300"}, "item[0].data_code"),
        ({"scale": "0"}, "item[0].scale"),
        ({"valid": True}, "unknown key"),
    ],
)
def test_an_item_that_cannot_be_told_is_refused(changed, complaint):
    (one,) = settings()["item"]
    assert complaint in problems(item=[one | changed])


def test_two_series_cannot_be_told_as_the_same_item():
    (one,) = settings()["item"]
    assert "more than one series is told as day:00-00-0000-023300-11" in problems(
        item=[one, one | {"indicator": "electricity_purchased"}]
    )


def test_a_key_of_the_registration_cannot_encrypt_the_registration():
    with pytest.raises(ValueError, match="cannot be encrypted with the key that it brings"):
        Encryption(method="sm4-ecb", key_from="registration", key_file="key", registration=True)


def test_hosts_are_that_of_the_registration_and_those_that_are_named():
    platform = Platform(**settings()["platform"], hosts=("data.example.org",))
    assert platform.allowed_hosts == {"platform.example.org", "data.example.org"}


def test_the_command_knows_every_fault_of_the_platform():
    assert set(NHJC_FAULTS) == set(PlatformFault)
