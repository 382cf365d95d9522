"""Addresses of brokers: clear refusals, and passwords only from files or the environment."""

import ssl

import pytest
from pydantic import ValidationError
from smartpark.broker import BrokerAddress, CertificateError, CredentialError
from smartpark.errors import InvalidFileError

VARIABLE = "EDGE_PASSWORD"


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://10.0.0.7", "10.0.0.7", 1883, False),
        ("mqtts://broker.example/", "broker.example", 8883, True),
        ("mqtt://broker.example:2883", "broker.example", 2883, False),
        ("mqtts://[fd00::7]:9883", "fd00::7", 9883, True),
    ],
)
def test_an_address_says_host_port_and_encryption(url, host, port, tls):
    address = BrokerAddress(url=url)
    assert (address.host, address.port, address.tls) == (host, port, tls)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "http://broker"}, "not a broker address"),
        ({"url": "mqtt://"}, "not a broker address"),
        ({"url": "mqtt://me:secret@broker"}, "credentials do not belong in a URL"),
        ({"url": "mqtt://broker/topic"}, "ends after the port"),
        ({"url": "mqtt://broker:99999"}, "[Pp]ort"),
        ({"url": "mqtt://broker", "password_file": "p"}, "a password needs a username"),
        ({"url": "mqtt://b", "username": "u", "password_file": "p", "password_env": "E"}, "not both"),
        ({"url": "mqtt://broker", "ca_file": "ca.crt"}, "certificates need an mqtts:// address"),
        ({"url": "mqtts://broker", "cert_file": "c.crt"}, "come together"),
        ({"url": "mqtt://broker", "passwort": "p"}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_the_reason(fields, message):
    with pytest.raises(ValidationError, match=message):
        BrokerAddress.model_validate(fields)


def test_the_password_comes_from_its_file_without_the_newline(tmp_path):
    file = tmp_path / "edge-a.password"
    file.write_text("s3cret\n")
    assert BrokerAddress(url="mqtt://b", username="u", password_file=file).password() == "s3cret"


def test_the_password_comes_from_the_environment():
    address = BrokerAddress(url="mqtt://b", username="u", password_env=VARIABLE)
    assert address.password({"EDGE_PASSWORD": "s3cret"}) == "s3cret"


def test_a_password_that_is_not_there_names_its_file_or_variable(tmp_path):
    missing = tmp_path / "nowhere"
    with pytest.raises(CredentialError, match="nowhere cannot be read: No such file"):
        BrokerAddress(url="mqtt://b", username="u", password_file=missing).password()
    with pytest.raises(CredentialError, match="EDGE_PASSWORD is not set"):
        BrokerAddress(url="mqtt://b", username="u", password_env=VARIABLE).password({})


def test_no_password_is_no_error():
    assert BrokerAddress(url="mqtt://b").password() is None


def test_the_environment_names_the_platforms_broker(tmp_path):
    secret = tmp_path / "ingest.password"
    secret.write_text("s3cret")
    address = BrokerAddress.from_environment(
        {
            "SMARTPARK_BROKER_URL": "mqtts://broker:8883",
            "SMARTPARK_BROKER_USERNAME": "ingest",
            "SMARTPARK_BROKER_PASSWORD_FILE": str(secret),
            "SMARTPARK_BROKER_CA_FILE": "/run/secrets/ca.crt",
        }
    )
    assert (address.host, address.username, address.password()) == ("broker", "ingest", "s3cret")


def test_without_any_environment_it_is_this_machines_broker():
    assert BrokerAddress.from_environment({}).url == "mqtt://127.0.0.1:1883"


def test_the_password_is_no_part_of_what_gets_printed():
    address = BrokerAddress.from_environment(
        {"SMARTPARK_BROKER_USERNAME": "u", "SMARTPARK_BROKER_PASSWORD": "s3cret"}
    )
    assert "s3cret" not in f"{address!r} {address} {address.model_dump_json()}"


def test_an_environment_that_makes_no_sense_is_told_by_name():
    with pytest.raises(InvalidFileError, match=r"SMARTPARK_BROKER_\*: url: .* is not a broker address"):
        BrokerAddress.from_environment({"SMARTPARK_BROKER_URL": "http://broker"})
    both = {"_USERNAME": "u", "_PASSWORD": "p", "_PASSWORD_FILE": "/run/secrets/p"}
    with pytest.raises(InvalidFileError, match="password_file or password_env, not both"):
        BrokerAddress.from_environment({f"SMARTPARK_BROKER{name}": value for name, value in both.items()})


def test_certificates_that_cannot_be_used_are_named(tmp_path):
    (tmp_path / "ca.crt").write_text("no certificate")
    for name in ("ca.crt", "absent.crt"):
        address = BrokerAddress(url="mqtts://broker", ca_file=tmp_path / name)
        with pytest.raises(CertificateError, match=f"mqtts://broker .*{name}.* cannot be used"):
            address.tls_context()


def test_a_broker_must_prove_its_name():
    context = BrokerAddress(url="mqtts://broker").tls_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
