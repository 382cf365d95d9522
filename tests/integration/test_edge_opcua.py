"""OPC UA sources against a real server: every write is seen, codes and times are kept, restarts are survived."""

import resource
import shutil
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from edge_park import START, write_config
from fix_opcua import URI
from smartpark.clock import to_us
from smartpark.status import BAD_NO_DATA, BAD_SENSOR_FAILURE
from smartpark.wire import MISSING
from waiting import wait_until

SO2 = "park/S1/so2_concentration"


def opcua_source(url, *points, **options):
    lines = ["[[opcua]]", 'name = "plc"', f'url = "{url}"', "sampling_ms = 20", "publishing_ms = 50"]
    lines += [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in options.items()
    ]
    for node, point in points:
        lines += ["[[opcua.point]]", f'node = "nsu={URI};s={node}"', f'point = "{point}"', 'resolution = "0.1"']
    return "\n".join(lines) + "\n"


def start(smartpark, tmp_path, broker, body):
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", write_config(tmp_path, broker.url, body=body), "--ready-file", ready)
    agent.wait_for_file(ready)
    return agent


def at(seconds):
    return START + timedelta(seconds=seconds)


def note(ingest):
    """What the source last told of itself."""
    return [source.detail for status in ingest.statuses[-1:] for source in status.sources if source.name == "plc"]


def test_every_write_is_seen_also_one_that_repeats_the_value(tmp_path, broker, smartpark, fake_ingest, make_opcua):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2), queue_size=200))
    for n in range(50):
        server.write("S1.SO2", 12.3 if n % 2 else 12.4, source=at(n))
    expected = [(to_us(at(n)), 123 if n % 2 else 124) for n in range(50)]
    wait_until(lambda: set(expected) <= set(ingest.values(SO2)), what="all 50 writes")


def test_a_notification_is_acknowledged_when_it_is_in_the_spool_and_not_before(
    tmp_path, broker, smartpark, fake_ingest, make_opcua
):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    agent = start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2)))
    server.write("S1.SO2", 1.5, source=at(1))
    wait_until(lambda: (to_us(at(1)), 15) in ingest.values(SO2), what="the reading before")
    written = (tmp_path / "edge-a.sqlite-wal").stat().st_size
    hard = resource.prlimit(agent.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (written, hard))
    server.write("S1.SO2", 2.5, source=at(2))
    wait_until(lambda: "nothing is acknowledged meanwhile" in agent.output(), what="a disk that takes nothing")
    assert server.unacknowledged() == 1
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (hard, hard))
    wait_until(lambda: server.unacknowledged() == 0, what="the acknowledgement")
    wait_until(lambda: (to_us(at(2)), 25) in ingest.values(SO2), what="the reading after")


def test_codes_come_through_raw_and_a_missing_value_is_not_zero(tmp_path, broker, smartpark, fake_ingest, make_opcua):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2)))
    server.write("S1.SO2", 5.0, status=BAD_SENSOR_FAILURE, source=at(1))
    server.write("S1.SO2", 6.0, status=0x4091_0000, source=at(2))
    server.write("S1.SO2", float("nan"), status=BAD_NO_DATA, source=at(5))
    expected = {
        (SO2, BAD_SENSOR_FAILURE, to_us(at(1)), MISSING),  # this server sends no value with a bad code
        (SO2, 0x4091_0000, to_us(at(2)), 60),
        (SO2, BAD_NO_DATA, to_us(at(5)), MISSING),
    }
    wait_until(lambda: expected <= set(ingest.readings()), what="three readings with their codes")


def test_what_is_no_number_becomes_a_dead_letter(tmp_path, broker, smartpark, fake_ingest, make_opcua):
    server = make_opcua("S1.TEXT")
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.TEXT", SO2)))
    server.write("S1.TEXT", "broken", source=at(1))
    wait_until(
        lambda: b"broken" in b"".join(b64decode(one.payload_base64) for one in ingest.letters.values()),
        what="a dead letter",
    )
    letter = list(ingest.letters.values())[-1]
    assert letter.reason.startswith(f"malformed: {SO2}")
    assert letter.topic == f"nsu={URI};s=S1.TEXT"


def test_a_restarted_server_is_heard_again_even_when_its_namespaces_have_moved(
    tmp_path, broker, smartpark, fake_ingest, make_opcua
):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    agent = start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2)))
    server.write("S1.SO2", 1.0, source=at(1))
    wait_until(lambda: (to_us(at(1)), 10) in ingest.values(SO2), what="a value before")
    server.other_namespaces = 3
    server.restart()
    server.write("S1.SO2", 2.0, source=at(2))
    wait_until(lambda: (to_us(at(2)), 20) in ingest.values(SO2), what="a value after", timeout_s=60)
    assert "Traceback" not in agent.output()


@pytest.mark.parametrize("mode", ["subscribe", "poll"])
def test_a_node_that_is_not_there_is_named_and_the_others_are_heard(  # noqa: PLR0917  fixtures
    tmp_path, broker, smartpark, fake_ingest, make_opcua, mode
):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    points = (("S1.SO2", SO2), ("S1.NOX", "park/S1/nox_concentration"))
    start(smartpark, tmp_path, broker, opcua_source(server.url, *points, mode=mode, poll_s=0.1))
    server.write("S1.SO2", 1.0, source=at(1))
    wait_until(lambda: (to_us(at(1)), 10) in ingest.values(SO2), what="the node that is there")
    wait_until(lambda: "S1.NOX: BadNodeIdUnknown" in "".join(note(ingest)), what="the name of the one that is not")


def test_polling_keeps_what_changed_and_sets_the_rest_aside(tmp_path, broker, smartpark, fake_ingest, make_opcua):
    server = make_opcua("S1.SO2")
    server.write("S1.SO2", 1.0, source=at(1))
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2), mode="poll", poll_s=0.05))
    wait_until(lambda: ingest.values(SO2) == [(to_us(at(1)), 10)], what="the first value")
    server.write("S1.SO2", 2.0, source=at(2))
    wait_until(lambda: ingest.values(SO2) == [(to_us(at(1)), 10), (to_us(at(2)), 20)], what="the second")
    wait_until(lambda: ingest.statuses[-1].duplicates > 5, what="repeated polls counted")


def test_a_server_queue_that_overflowed_is_counted(tmp_path, broker, smartpark, fake_ingest, make_opcua):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2)))
    server.write("S1.SO2", 1.0, status=0x0000_0480, source=at(1))
    wait_until(lambda: (SO2, 0x480, to_us(at(1)), 10) in ingest.readings(), what="the value with its overflow bit")
    wait_until(lambda: "1 overflows" in "".join(note(ingest)), what="the overflow counted")


def test_a_value_without_a_source_time_takes_the_server_s_and_says_so(
    tmp_path, broker, smartpark, fake_ingest, make_opcua
):
    server = make_opcua("S1.SO2")
    ingest = fake_ingest("edge-a")
    start(smartpark, tmp_path, broker, opcua_source(server.url, ("S1.SO2", SO2)))
    server.write("S1.SO2", 3.0, server=at(7))
    wait_until(lambda: 30 in {value for _, value in ingest.values(SO2)}, what="the value")
    wait_until(lambda: "stamped by the server" in "".join(note(ingest)), what="whose time it is")


def certificate(folder, name, uri):
    """Self-signed, as `name`.der and `name`.pem (the key)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.UniformResourceIdentifier(uri), x509.IPAddress(ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(*[True] * 4, *[False] * 5)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(usage, critical=False)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.der").write_bytes(built.public_bytes(serialization.Encoding.DER))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.pem").write_bytes(pem)


def secured(server, **more):
    return opcua_source(
        server.url,
        ("S1.SO2", SO2),
        security="basic256sha256-sign-and-encrypt",
        certificate="client.der",
        private_key="client.pem",
        trust_store="trusted",
        **more,
    )


def test_an_encrypted_server_is_heard_when_its_certificate_is_trusted_and_not_before(
    tmp_path, broker, smartpark, fake_ingest, make_opcua
):
    certificate(tmp_path, "server", "urn:smartpark:test:server")
    certificate(tmp_path, "client", "urn:smartpark:edge")
    (tmp_path / "trusted").mkdir()
    server = make_opcua("S1.SO2", folder=tmp_path)
    ingest = fake_ingest("edge-a")
    ready = tmp_path / "ready"
    config = write_config(tmp_path, broker.url, body=secured(server))
    agent = smartpark.start("edge", "run", config, "--ready-file", ready)
    wait_until(lambda: "source plc at" in agent.output(), what="a word about the server")
    assert "BadCertificateUntrusted" in agent.output()
    assert not ready.exists()
    (tmp_path / "trusted" / "server.der").write_bytes((tmp_path / "server.der").read_bytes())
    agent.wait_for_file(ready, timeout_s=60)
    server.write("S1.SO2", 4.2, source=at(1))
    wait_until(lambda: (to_us(at(1)), 42) in ingest.values(SO2), what="a value over the encrypted channel")


@pytest.mark.parametrize("mode", ["subscribe", "poll"])
def test_a_user_is_let_in_over_an_encrypted_channel_and_a_wrong_password_is_told(  # noqa: PLR0917  fixtures
    tmp_path, broker, smartpark, fake_ingest, make_opcua, mode
):
    certificate(tmp_path, "server", "urn:smartpark:test:server")
    certificate(tmp_path, "client", "urn:smartpark:edge")
    (tmp_path / "trusted").mkdir()
    shutil.copy(tmp_path / "server.der", tmp_path / "trusted")
    password = tmp_path / "plc.password"
    password.write_text("wr0ng secret")
    server = make_opcua("S1.SO2", folder=tmp_path, users={"agent": "correct horse"})
    ingest = fake_ingest("edge-a")
    ready = tmp_path / "ready"
    body = secured(server, username="agent", password_file="plc.password", mode=mode, poll_s=0.1)  # noqa: S106  a file
    agent = smartpark.start("edge", "run", write_config(tmp_path, broker.url, body=body), "--ready-file", ready)
    told = f"source plc at {server.url}: refused user 'agent'"
    wait_until(lambda: told in agent.output(), what=told)
    assert "wr0ng" not in agent.output()
    assert not ready.exists()
    password.write_text("correct horse")
    agent.wait_for_file(ready, timeout_s=60)
    server.write("S1.SO2", 4.2, source=at(1))
    wait_until(lambda: (to_us(at(1)), 42) in ingest.values(SO2), what="a value")
    server.write("S1.SO2", 4.3, source=at(2))
    wait_until(lambda: (to_us(at(2)), 43) in ingest.values(SO2), what="the next")
    assert "Traceback" not in agent.output()


def test_a_password_is_never_sent_in_clear(tmp_path, broker, smartpark, make_opcua):
    server = make_opcua("S1.SO2", users={"agent": "correct horse"})
    (tmp_path / "plc.password").write_text("correct horse")
    body = opcua_source(server.url, ("S1.SO2", SO2), username="agent", password_file="plc.password")  # noqa: S106  a file
    refused = smartpark.run("edge", "run", write_config(tmp_path, broker.url, body=body))
    assert refused.returncode == 2
    assert "opcua[plc]: " in refused.stderr
    assert "in clear" in refused.stderr
