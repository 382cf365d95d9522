"""Passwords, certificates and topic rights of scripts/init-secrets, tried on a real mosquitto as we configure it."""

import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from smartpark_simulators.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "init-secrets"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
NOT_AUTHORIZED = ReasonCode(PacketTypes.PUBACK, "Not authorized")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def run_script(folder, *arguments):
    command = [sys.executable, SCRIPT, "--folder", folder, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    result = run_script(tmp_path, "--demo")
    assert result.returncode == 0, result.stderr
    return tmp_path


@needs_openssl
def test_only_the_owner_can_read_what_was_made(folder):
    for path in [folder / ".env", *(folder / "secrets").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@needs_openssl
def test_a_second_run_changes_nothing(folder):
    before = snapshot(folder)
    result = run_script(folder)
    assert result.stdout.startswith("nothing to do")
    assert snapshot(folder) == before


@needs_openssl
def test_an_edge_is_added_without_touching_the_others(folder):
    before = snapshot(folder)
    assert run_script(folder, "--edge", "edge-b").returncode == 0
    after = snapshot(folder)
    changed = {path.name for path in after if before.get(path) != after[path]}
    assert changed == {"edge-b.password", "passwd", "acl"}
    old, new = (files[folder / "secrets/broker/passwd"].decode().splitlines() for files in (before, after))
    assert set(old) < set(new)


@needs_openssl
def test_force_makes_every_password_anew_and_keeps_lines_of_your_own(folder):
    env = folder / ".env"
    env.write_text("SMARTPARK_API_BIND=0.0.0.0\n" + env.read_text())
    (folder / "secrets/desk/smtp.password").write_text("given by the mail server")
    before = snapshot(folder)
    assert run_script(folder, "--force").returncode == 0
    after = snapshot(folder)
    kept = {path.name for path in after if before[path] == after[path]}
    assert kept == {"acl", "smtp.password", "seal.pem", ".env"}
    assert "SMARTPARK_API_BIND=0.0.0.0\n" in env.read_text()


@needs_openssl
def test_it_prints_no_secret_and_takes_old_ones_out_of_env(folder):
    (folder / ".env").write_text("POSTGRES_PASSWORD=old\nMINE=1\nGRAFANA_ADMIN_PASSWORD=old\n")
    said = run_script(folder, "--force")
    for path in (folder / "secrets").rglob("*.*"):
        content = path.read_text().strip()
        assert not content or content not in said.stdout + said.stderr, path.name
    text = (folder / ".env").read_text()
    assert "old" not in text
    assert "MINE=1\n" in text


@needs_openssl
def test_folders_that_are_mounted_are_yours_from_the_start(folder):
    for name in ("secrets/alerts", "secrets/province", "secrets/uplinks", "backups"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700


@needs_openssl
def test_an_edge_whose_password_is_removed_is_shut_out_and_no_other(folder):
    assert run_script(folder, "--edge", "edge-b").returncode == 0
    before = (folder / "secrets/broker/passwd").read_text().splitlines()
    (folder / "secrets/broker/edge-b.password").unlink()
    assert run_script(folder).returncode == 0
    after = (folder / "secrets/broker/passwd").read_text().splitlines()
    assert set(before) - set(after) == {line for line in before if line.startswith("edge-b:")}
    assert set(after) < set(before)
    assert "edge-b" not in (folder / "secrets/broker/acl").read_text()


@needs_openssl
def test_a_new_certificate_is_of_the_same_authority_and_for_the_new_name(folder):
    tls = folder / "secrets/tls"
    authority, old = (tls / "ca.crt").read_text(), (tls / "broker.crt").read_text()
    (tls / "broker.crt").unlink()
    assert run_script(folder, "--host", "broker.park.example").returncode == 0
    assert (tls / "ca.crt").read_text() == authority
    assert (tls / "broker.crt").read_text() != old
    checked = ["openssl", "verify", "-verify_hostname", "broker.park.example", "-CAfile", tls / "ca.crt"]
    assert subprocess.run([*checked, tls / "broker.crt"], capture_output=True, check=False).returncode == 0


@needs_openssl
def test_the_simulated_park_has_no_credentials_unless_asked_for(tmp_path):
    assert run_script(tmp_path).returncode == 0
    users = {path.stem for path in (tmp_path / "secrets/broker").glob("*.password")}
    assert users == {"ingest", "health", "edge-a"}
    assert "simulators" not in (tmp_path / "secrets/broker/acl").read_text()


@needs_openssl
def test_no_two_passwords_are_alike(folder):
    given = folder / "secrets/desk/smtp.password"
    passwords = [path.read_text() for path in (folder / "secrets").rglob("*.password") if path != given]
    assert given.read_text() == "", "the mail server's, not ours to make up"
    assert len(passwords) == 12
    assert len(set(passwords)) == len(passwords)
    assert all(re.fullmatch(r"[\w-]{32}", password) for password in passwords)


@pytest.mark.parametrize("code", ["edge/b", "#", "", "ingest", "health", "simulators"])
def test_a_code_that_would_widen_topic_rights_is_refused(tmp_path, code):
    result = run_script(tmp_path, "--edge", code)
    assert result.returncode == 1
    assert "is not the code of an edge" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_openssl_is_named(tmp_path):
    environment = os.environ | {"PATH": str(tmp_path)}
    command = [sys.executable, SCRIPT, "--folder", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 1
    assert "openssl is not installed" in result.stderr
    assert "Traceback" not in result.stderr


@needs_openssl
@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto_passwd is not installed")
def test_a_hash_made_by_mosquitto_itself_counts_as_ours(folder):
    passwd = folder / "secrets/broker/passwd"
    password = (folder / "secrets/broker/ingest.password").read_text()
    subprocess.run(["mosquitto_passwd", "-b", passwd, "ingest", password], check=True, capture_output=True)
    theirs = passwd.read_text()
    assert run_script(folder).stdout.startswith("nothing to do")
    assert passwd.read_text() == theirs


@contextmanager
def broker(folder):
    port = free_port()
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text()
    places = {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/run/secrets/broker.crt": folder / "secrets/tls/broker.crt",
        "/run/secrets/broker.key": folder / "secrets/tls/broker.key",
        "/run/secrets/broker.passwd": folder / "secrets/broker/passwd",
        "/run/secrets/broker.acl": folder / "secrets/broker/acl",
    }
    for old, new in places.items():
        assert old in text
        text = text.replace(old, str(new))
    configuration = folder / "mosquitto.conf"
    # As root it would become another user, who may not read the secrets; in the container it starts as their owner.
    configuration.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    process = subprocess.Popen([MOSQUITTO, "-c", configuration], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.02)
        assert process.poll() is None, process.stderr.read()
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=60)


class Client:
    """A client that remembers every answer, and lets a test wait for one."""

    def __init__(self, folder, port, user, password=None):
        self.answers = {}
        self.answered = threading.Condition()
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.mqtt.username_pw_set(user, password or (folder / f"secrets/broker/{user}.password").read_text())
        self.mqtt.tls_set(ca_certs=str(folder / "secrets/tls/ca.crt"))
        self.mqtt.on_connect = lambda _c, _u, _f, reason, _p: self._note("connect", reason)
        self.mqtt.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, reason)
        self.mqtt.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, reasons)
        self.mqtt.on_message = lambda _c, _u, message: self._note(message.topic, message.payload)
        self.mqtt.connect("localhost", port)

    def __enter__(self):
        self.mqtt.loop_start()
        return self

    def __exit__(self, *_):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()
        # paho closes its inner pair of sockets when it is deleted, which the callbacks' cycle would put off.
        del self.mqtt

    def _note(self, key, answer):
        with self.answered:
            self.answers[key] = answer
            self.answered.notify_all()

    def wait(self, key):
        with self.answered:
            assert self.answered.wait_for(lambda: key in self.answers, 60), f"no answer about {key}"
            return self.answers[key]

    def publish(self, topic):
        return self.wait(self.mqtt.publish(topic, b"x", qos=1).mid)

    def subscribe(self, topic):
        return self.wait(self.mqtt.subscribe(topic, qos=1)[1])


@needs_openssl
@needs_mosquitto
def test_each_user_gets_in_and_may_do_what_is_theirs_and_nothing_else(folder):
    with broker(folder) as port, Client(folder, port, "ingest") as ingest, Client(folder, port, "edge-a") as edge:
        assert not ingest.wait("connect").is_failure
        assert not edge.wait("connect").is_failure
        ingest.subscribe("smartpark/v1/#")
        edge.subscribe("smartpark/v1/edge-a/ack")
        for leaf in ("birth", "data", "json", "dead", "status", "death"):
            assert not edge.publish(f"smartpark/v1/edge-a/{leaf}").is_failure, leaf
            assert ingest.wait(f"smartpark/v1/edge-a/{leaf}") == b"x"
        for topic in ("smartpark/v1/edge-b/data", "smartpark/v1/edge-a/ack", "tele/T01/SENSOR", "other"):
            assert edge.publish(topic) == NOT_AUTHORIZED, topic
        assert not ingest.publish("smartpark/v1/edge-a/ack").is_failure
        assert edge.wait("smartpark/v1/edge-a/ack") == b"x"
        assert ingest.publish("smartpark/v1/edge-a/data") == NOT_AUTHORIZED


@needs_openssl
@needs_mosquitto
def test_an_edge_hears_the_meters_and_not_its_neighbour(folder):
    assert run_script(folder, "--edge", "edge-b").returncode == 0
    with (
        broker(folder) as port,
        Client(folder, port, "edge-a") as edge,
        Client(folder, port, "edge-b") as neighbour,
        Client(folder, port, "simulators") as meters,
    ):
        edge.subscribe("smartpark/v1/edge-b/#")
        edge.subscribe("tele/#")
        assert not neighbour.publish("smartpark/v1/edge-b/data").is_failure
        assert meters.publish("smartpark/v1/edge-b/data") == NOT_AUTHORIZED
        assert not meters.publish("tele/T01/SENSOR").is_failure
        # The neighbour's message went first: had it been delivered, it would be here by now.
        assert edge.wait("tele/T01/SENSOR") == b"x"
        assert "smartpark/v1/edge-b/data" not in edge.answers


@needs_openssl
@needs_mosquitto
@pytest.mark.parametrize(("user", "password"), [("edge-a", "wrong"), ("nobody", "wrong")])
def test_a_wrong_password_does_not_get_in(folder, user, password):
    with broker(folder) as port, Client(folder, port, user, password) as client:
        assert client.wait("connect") == ReasonCode(PacketTypes.CONNACK, "Not authorized")


@needs_openssl
@needs_mosquitto
def test_the_broker_is_trusted_by_our_authority_and_by_no_other(folder, tmp_path_factory):
    stranger = tmp_path_factory.mktemp("stranger")
    assert run_script(stranger).returncode == 0

    def greet(port, authority, name):
        context = ssl.create_default_context(cafile=authority / "secrets/tls/ca.crt")
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname=name):
            pass

    with broker(folder) as port:
        for name in ("broker", "localhost", "127.0.0.1"):
            greet(port, folder, name)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            greet(port, folder, "elsewhere.example")
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
            greet(port, stranger, "broker")


@needs_openssl
@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="mosquitto_sub is not installed")
def test_the_health_check_of_the_compose_hears_the_broker_and_notices_a_wrong_password(folder, tmp_path_factory):
    check = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["broker"]["healthcheck"]["test"]
    options = tmp_path_factory.mktemp("health")
    secret = folder / "secrets/broker/health.client"
    shutil.copy(secret, options / "mosquitto_sub")
    with broker(folder) as port:
        places = {"8883": str(port), "/run/secrets/broker-ca.crt": str(folder / "secrets/tls/ca.crt")}
        command = [places.get(word, word.replace("$$", "$")) for word in check[1:]]
        command[command.index("-W") + 1] = "60"
        environment = os.environ | {"XDG_CONFIG_HOME": str(options)}
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
        (options / "mosquitto_sub").write_text("--username health\n--pw wrong\n")
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode != 0


@needs_openssl
@needs_mosquitto
def test_the_user_of_the_health_check_may_do_nothing_else(folder):
    with broker(folder) as port, Client(folder, port, "health") as health, Client(folder, port, "ingest") as ingest:
        health.subscribe("smartpark/v1/#")
        health.subscribe("$SYS/broker/uptime")
        assert health.publish("smartpark/v1/edge-a/data") == NOT_AUTHORIZED
        assert not ingest.publish("smartpark/v1/edge-a/ack").is_failure
        # The broker says its uptime by and by: had the other been delivered, it would be here by then.
        health.wait("$SYS/broker/uptime")
        assert "smartpark/v1/edge-a/ack" not in health.answers
