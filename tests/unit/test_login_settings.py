"""The file of identity providers is refused whole, with each problem under its key; and so is a wrong address."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from smartpark.errors import InvalidFileError, SmartparkError
from smartpark_api.access.login.logins import install_logins
from smartpark_api.access.login.settings import load_oidc, login_from_environment
from smartpark_api.settings import ApiSettings

GOOD = """\
[[issuer]]
name = "park-id"
title = "园区统一认证"
issuer = "https://id.example.org/realms/park"
client_id = "smartpark"
client_secret_file = "{secret}"
first_login = "verified_email"

[[issuer]]
name = "province"
title = "省统一认证"
issuer = "https://login.example.cn"
client_id = "park-minhou"
"""


@pytest.fixture
def written(tmp_path):
    """Writes a file; the good one with some of its text changed."""
    secret = tmp_path / "secret"
    secret.write_text("hush\n")

    def write(*changes):
        text = GOOD.format(secret=secret)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "oidc.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_good_file_is_read_and_its_secret_kept_out_of_sight(written):
    settings = load_oidc(written())

    park, province = settings.issuer
    assert (park.name, park.secret(), park.first_login) == ("park-id", "hush", "verified_email")
    assert (province.secret(), province.first_login, province.make_people_of) == (None, "bound", ())
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("https://id.example.org", "http://id.example.org"), "https is needed"),
        (("https://id.example.org", "https://me:pw@id.example.org"), "without an account"),
        (("realms/park", "realms/park?x=1"), "without an account, a query"),
        (("https://id.example.org/realms/park", "id.example.org"), "https://host/path"),
        (('name = "park-id"', 'name = "Park ID"'), "issuer[Park ID].name"),
        (('name = "province"', 'name = "park-id"'), "each name and each issuer only once"),
        (("https://login.example.cn", "https://id.example.org/realms/park"), "each name and each issuer only once"),
        (('first_login = "verified_email"', 'first_login = "anybody"'), "issuer[park-id].first_login"),
        (('first_login = "verified_email"', 'make_people_of = ["example.org"]'), "needs first_login"),
        (('client_id = "park-minhou"', 'client_id = "x"\nscopes = ["email"]'), "'openid' has to be among them"),
        (('client_id = "park-minhou"', 'client_id = "x"\nclient_secret = "hush"'), "unknown key"),
        (('client_id = "park-minhou"', 'client_id = "x"\nclient_secret_file = "/nowhere"'), "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(written, change, told):
    with pytest.raises(InvalidFileError) as refused:
        load_oidc(written(change))

    assert told in str(refused.value)
    assert "hush" not in str(refused.value) or "client_secret" in str(refused.value)


def test_the_example_for_containers_lacks_nothing_but_its_secret():
    with pytest.raises(InvalidFileError) as refused:
        load_oidc(Path(__file__).parents[2] / "deploy" / "oidc" / "example.toml")

    (problem,) = refused.value.problems
    assert problem.key == "issuer[park-id].client_secret_file"


def test_an_empty_secret_is_none(written, tmp_path):
    path = written()
    (tmp_path / "secret").write_text("\n")

    with pytest.raises(InvalidFileError, match="is empty"):
        load_oidc(path)


def test_plain_http_is_for_this_machine_alone(written):
    path = written(("https://id.example.org/realms/park", "http://127.0.0.1:8080/realms/park"))

    assert load_oidc(path).issuer[0].issuer.startswith("http://127.0.0.1")


def test_the_environment_names_the_file_and_the_address(written):
    path = written()

    told = login_from_environment({"SMARTPARK_OIDC_FILE": str(path), "SMARTPARK_PUBLIC_URL": "https://park.example/"})
    assert told == {"oidc_file": path, "public_url": "https://park.example"}
    assert login_from_environment({}) == {"oidc_file": None, "public_url": None}
    ApiSettings(dsn="dbname=x", **told)


@pytest.mark.parametrize(
    "url", ["park.example", "http://park.example", "https://park.example/a", "https://a@b.example"]
)
def test_an_address_that_cannot_be_meant_stops_the_start(url):
    with pytest.raises(SmartparkError, match="SMARTPARK_PUBLIC_URL"):
        login_from_environment({"SMARTPARK_PUBLIC_URL": url})


def test_a_file_that_is_wrong_stops_the_start(tmp_path):
    with pytest.raises(InvalidFileError, match="no such file"):
        login_from_environment({"SMARTPARK_OIDC_FILE": str(tmp_path / "none.toml")})


def test_where_any_host_name_is_answered_somebody_has_to_say_which_is_ours(written):
    settings = ApiSettings(dsn="dbname=x", oidc_file=written(), host_names=None, access="enforced")

    with pytest.raises(SmartparkError, match="SMARTPARK_PUBLIC_URL has to say"):
        install_logins(FastAPI(), settings, None)
    install_logins(FastAPI(), settings.model_copy(update={"public_url": "https://park.example"}), None)


def test_tokens_of_programs_are_for_us_and_not_for_the_log_in(written):
    plain = 'client_id = "park-minhou"'
    good = load_oidc(written((plain, f'{plain}\napi_audience = "api"\nprograms = {{ "kc" = "province" }}')))
    assert good.issuer[1].programs == {"kc": "province"}

    for wrong, told in [
        ('api_audience = "api"', "both or neither"),
        ('programs = { "kc" = "province" }', "both or neither"),
        ('api_audience = "park-minhou"\nprograms = { "kc" = "province" }', "another one than client_id"),
    ]:
        with pytest.raises(InvalidFileError, match=told):
            load_oidc(written((plain, f"{plain}\n{wrong}")))
