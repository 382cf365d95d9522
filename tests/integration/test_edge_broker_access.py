"""Brokers that do not let everybody in: passwords, topic rights and TLS, on the devices' side and the platform's."""

import shutil
from datetime import timedelta

import pytest
from certificates import Authority
from edge_park import START, Devices, FakeIngest, tasmota
from smartpark.clock import to_us
from waiting import wait_until

ENERGY = "park/T01/active_energy_import"
PASSWORDS = {"edge-a": "correct horse", "field": "battery staple", "meter": "m", "ingest": "i"}

PLATFORM_RIGHTS = """
user edge-a
topic write smartpark/v1/edge-a/birth
topic write smartpark/v1/edge-a/data
topic write smartpark/v1/edge-a/dead
topic write smartpark/v1/edge-a/status
topic write smartpark/v1/edge-a/death
topic read smartpark/v1/edge-a/ack
topic read smartpark/v1/edge-a/command

user ingest
topic readwrite smartpark/#
"""
FIELD_RIGHTS = """
user field
topic read tele/#

user meter
topic write tele/#
"""


def energy(numbers):
    return [(to_us(START + timedelta(seconds=n)), 500_000 + n) for n in numbers]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def listener(authority, *more, address="127.0.0.1"):
    """Lines of a listener that speaks TLS."""
    own = authority.issue("broker", address=address)
    files = f"cafile {authority.ca_file}", f"certfile {own.certificate}", f"keyfile {own.key}"
    return (*files, *more)


class Site:
    """Two brokers, the agent's settings, and who speaks on each side."""

    def __init__(self, tmp_path, platform, field):
        self.platform, self.field, self._folder = platform, field, tmp_path
        for user in ("edge-a", "field"):
            (tmp_path / f"{user}.password").write_text(PASSWORDS[user])

    def write(self, **keys):
        """The agent's settings; `keys` go to both addresses."""
        more = [f'{key} = "{value}"' for key, value in keys.items()]
        lines = [
            '[edge]\ncode = "edge-a"\nspool = "edge-a.sqlite"',
            f'[broker]\nurl = "{self.platform.url}"\nusername = "edge-a"\npassword_file = "edge-a.password"',
            *more,
            "[publish]\nmax_delay_s = 0.1\nack_timeout_s = 2.0\nstatus_every_s = 0.3",
            f'[[mqtt]]\nname = "meters"\nurl = "{self.field.url}"\ntime_zone = "UTC"',
            'username = "field"\npassword_file = "field.password"',
            *more,
            '[[mqtt.device]]\ntopic = "tele/T01/SENSOR"\nmodel = "tasmota-energy"\ndevice = "park/T01"',
        ]
        config = self._folder / "edge-a.toml"
        config.write_text("\n".join(lines) + "\n")
        return config

    def prove(self, numbers, authority=None, own=None):
        """Meters say something, and the platform gets and acknowledges it."""

        def enter(user):
            def prepare(client):
                client.username_pw_set(user, PASSWORDS[user])
                if authority is not None:
                    certificate = {} if own is None else {"certfile": own.certificate, "keyfile": own.key}
                    client.tls_set(authority.ca_file, **certificate)

            return prepare

        meters = Devices(self.field.host, self.field.port, enter("meter"))
        ingest = FakeIngest("edge-a", self.platform.host, self.platform.port, prepare=enter("ingest"))
        try:
            meters.say_many("tele/T01/SENSOR", [tasmota(n) for n in numbers])
            wait_until(lambda: ingest.values(ENERGY) == energy(numbers), what="every reading")
            wait_until(
                lambda: [s for s in ingest.statuses[-1:] if s.accepted and not s.spool_readings],
                what="an empty spool",
            )
        finally:
            meters.close()
            ingest.close()


@pytest.fixture
def make_site(tmp_path, make_mosquitto):
    def make(tls=()):
        platform = {user: PASSWORDS[user] for user in ("edge-a", "ingest")}
        field = {user: PASSWORDS[user] for user in ("field", "meter")}
        return Site(
            tmp_path,
            make_mosquitto(users=platform, acl=PLATFORM_RIGHTS, tls=tls),
            make_mosquitto(users=field, acl=FIELD_RIGHTS, tls=tls),
        )

    return make


def test_readings_flow_over_tls_with_no_more_rights_than_needed(tmp_path, authority, make_site, smartpark):
    site = make_site(listener(authority))
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", site.write(ca_file=authority.ca_file), "--ready-file", ready)
    agent.wait_for_file(ready)
    site.prove(range(200), authority)


def test_a_wrong_password_is_told_with_broker_and_user_and_mended_without_a_restart(tmp_path, make_site, smartpark):
    site = make_site()
    config = site.write()
    for user in ("edge-a", "field"):
        (tmp_path / f"{user}.password").write_text("wr0ng secret")
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", config, "--ready-file", ready)
    for broker, user in ((site.platform, "edge-a"), (site.field, "field")):
        told = f"{broker.url}: refused user '{user}': Not authorized"
        wait_until(lambda told=told: told in agent.output(), what=told)
    assert "wr0ng" not in agent.output()
    assert "Traceback" not in agent.output()
    assert not ready.exists()
    for user in ("edge-a", "field"):
        (tmp_path / f"{user}.password").write_text(PASSWORDS[user])
    agent.wait_for_file(ready)
    site.prove(range(5))


@pytest.mark.parametrize("fault", ["another authority", "another name"])
def test_a_broker_that_cannot_prove_who_it_is_gets_no_password(tmp_path, authority, make_site, smartpark, fault):
    ca_file = tmp_path / "ca.pem"
    if fault == "another name":
        site = make_site(listener(authority, address="127.0.0.2"))
        shutil.copy(authority.ca_file, ca_file)
        reason = "IP address mismatch"
    else:
        site = make_site(listener(authority))
        shutil.copy(Authority(tmp_path, "stranger").ca_file, ca_file)
        reason = "certificate in certificate chain"
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", site.write(ca_file=ca_file), "--ready-file", ready)
    for broker in (site.platform, site.field):
        told = f"{broker.url}: its certificate is not trusted: "
        wait_until(lambda told=told: told in agent.output(), what=told)
    assert reason in agent.output()
    assert str(ca_file) in agent.output()
    assert "Traceback" not in agent.output()
    assert not ready.exists()
    if fault == "another authority":
        shutil.copy(authority.ca_file, ca_file)
        agent.wait_for_file(ready)
        site.prove(range(5), authority)


def test_a_broker_may_ask_for_a_certificate(tmp_path, authority, make_site, smartpark):
    site = make_site(listener(authority, "require_certificate true"))
    own = authority.issue("edge-a")
    ready = tmp_path / "ready"
    config = site.write(ca_file=authority.ca_file)
    agent = smartpark.start("edge", "run", config, "--ready-file", ready)
    for broker in (site.platform, site.field):
        wait_until(lambda url=broker.url: url in agent.output(), what=f"a word about {broker.url}")
    assert not ready.exists()
    site.write(ca_file=authority.ca_file, cert_file=own.certificate, key_file=own.key)
    agent.wait_for_file(ready)
    site.prove(range(5), authority, own)
    assert "Traceback" not in agent.output()
