"""Trouble with the spool of a running agent: a damaged file, a file that is gone, a full disk."""

import contextlib
import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta

import pytest
from edge_park import START, plug_source, tasmota, write_config
from smartpark.clock import to_us
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import unpack_rows
from waiting import wait_until

ENERGY = "park/T01/active_energy_import"


def energy(numbers):
    return [(to_us(START + timedelta(seconds=n)), 500_000 + n) for n in numbers]


def run(smartpark, tmp_path, *configs):
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", *configs, "--ready-file", ready)
    agent.wait_for_file(ready)
    return agent


def overwrite(path):
    """Somebody's tool writes over the pages, as a failing disk would."""
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def empty(path):
    os.truncate(path, 0)


def remove(path):
    for part in path.parent.glob(f"{path.name}*"):
        if not part.name.endswith(".lock"):
            part.unlink()


@pytest.mark.parametrize("harm", [overwrite, empty, remove])
def test_a_spool_harmed_while_running_is_replaced_and_the_agent_goes_on(  # noqa: PLR0917  fixtures
    tmp_path, broker, smartpark, fake_ingest, devices, harm
):
    ingest = fake_ingest("edge-a")
    agent = run(smartpark, tmp_path, write_config(tmp_path, broker.url, live_for_s=60))
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(30)])
    wait_until(lambda: ingest.values(ENERGY) == energy(range(30)), what="readings before")
    wait_until(lambda: ingest.statuses[-1].spool_readings == 0, what="all acknowledged")
    spool = tmp_path / "edge-a.sqlite"
    [boot] = {birth.boot for birth in ingest.births}
    looker = sqlite3.connect(spool)
    looker.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    looker.close()
    harm(spool)
    told = 30

    def replaced():
        nonlocal told
        devices.say("tele/T01/SENSOR", tasmota(told))
        told += 1
        return {birth.boot for birth in ingest.births} != {boot}

    wait_until(replaced, what="a birth with another boot", every_s=0.1)
    devices.say("tele/T01/SENSOR", tasmota(told))
    wait_until(lambda: energy([told])[0] in ingest.values(ENERGY), what="a reading after")
    wait_until(lambda: ingest.statuses[-1].boot != boot, what="a status of the new life")
    [alarm] = ingest.statuses[-1].alarms
    assert "spool" in alarm
    assert "not yet acknowledged" in alarm
    kept = list(tmp_path.glob("edge-a.sqlite.damaged-*"))
    if harm is not empty:  # into an emptied file the agent may have written a page before it noticed
        assert bool(kept) is (harm is overwrite), "there is nothing to keep of a removed one"
    assert "starting again" in agent.output()
    assert "Traceback" not in agent.output()
    assert agent.is_running
    with closing(sqlite3.connect(spool)) as fresh, fresh:
        assert fresh.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    fresh.close()


def test_a_reading_that_the_disk_has_altered_is_not_sent_but_counted_and_named(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    config = write_config(tmp_path, broker.url)
    spool = tmp_path / "edge-a.sqlite"
    agent = run(smartpark, tmp_path, config)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(30)])
    reader = SpoolReader(spool)
    wait_until(lambda: len(pending(reader)) == 30, what="readings in the spool")
    reader.close()
    assert agent.terminate() == 0
    content = bytearray(spool.read_bytes())
    content[content.index((500_017).to_bytes(8, "little")) + 1] ^= 1
    spool.write_bytes(content)
    ingest = fake_ingest("edge-a")
    agent = run(smartpark, tmp_path, config)
    wait_until(lambda: ingest.statuses and ingest.statuses[-1].dropped, what="a loss that is counted")
    wait_until(lambda: ingest.statuses[-1].spool_readings == 0, what="everything else acknowledged")
    sent = ingest.values(ENERGY)
    assert set(sent) <= set(energy(range(30)))
    assert energy([17])[0] not in sent
    assert 30 - len(sent) <= ingest.statuses[-1].dropped
    [alarm] = ingest.statuses[-1].alarms
    assert f"altered what was written to the spool: lost {ingest.statuses[-1].dropped} readings" in alarm
    assert "Traceback" not in agent.output()


def pending(reader):
    """Energy readings that wait in batches."""
    return [row for one in reader.backlog_after(0, 2**62, 99) for row in unpack_rows(one.body) if row[3] >= 500_000]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk here, mounting needs root: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """Leave no byte free."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(folder).f_bavail == 0
    return filler


def test_a_full_disk_loses_nothing(  # noqa: PLR0917  fixtures
    tmp_path, small_disk, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url, body=plug_source(broker.url))
    config.write_text(config.read_text().replace('"edge-a.sqlite"', f'"{small_disk}/edge-a.sqlite"'))
    agent = run(smartpark, tmp_path, config)
    devices.say("tele/T01/SENSOR", tasmota(0))
    wait_until(lambda: ingest.values(ENERGY) == energy([0]), what="the reading before")
    filler = fill(small_disk)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(1, 2001)])
    wait_until(lambda: any("full" in alarm for status in ingest.statuses for alarm in status.alarms), what="an alarm")
    accepted = ingest.statuses[-1].accepted
    assert accepted < 4002
    assert agent.is_running
    agent.kill()
    filler.unlink()
    run(smartpark, tmp_path, config)
    wait_until(lambda: ingest.values(ENERGY) == energy(range(2001)), what="every reading")
    wait_until(lambda: ingest.statuses[-1].alarms == (), what="the end of the alarm")
    assert "Traceback" not in agent.output()


def test_it_goes_on_by_itself_when_a_full_disk_has_room_again(  # noqa: PLR0917  fixtures
    tmp_path, small_disk, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url)
    config.write_text(config.read_text().replace('"edge-a.sqlite"', f'"{small_disk}/edge-a.sqlite"'))
    agent = run(smartpark, tmp_path, config)
    filler = fill(small_disk)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(2000)])
    wait_until(lambda: "nothing is acknowledged meanwhile" in agent.output(), what="a word about the disk")
    filler.unlink()
    wait_until(lambda: ingest.values(ENERGY) == energy(range(2000)), what="every reading")
    wait_until(lambda: ingest.statuses[-1].alarms == (), what="the end of the alarm")


def test_started_on_a_full_disk_it_waits_for_room_and_goes_on(  # noqa: PLR0917  fixtures
    tmp_path, small_disk, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url)
    config.write_text(config.read_text().replace('"edge-a.sqlite"', f'"{small_disk}/edge-a.sqlite"'))
    filler = fill(small_disk)
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", config, "--ready-file", ready)
    wait_until(lambda: "trying again" in agent.output(), what="a word about the disk")
    assert agent.is_running
    assert not ready.exists()
    filler.unlink()
    agent.wait_for_file(ready)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(30)])
    wait_until(lambda: ingest.values(ENERGY) == energy(range(30)), what="every reading")
    assert agent.output().count("trying again") == 1
    assert "Traceback" not in agent.output()


def test_a_full_disk_under_the_ready_file_stops_nothing(  # noqa: PLR0917  fixtures
    tmp_path, small_disk, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    filler = fill(small_disk)
    ready = small_disk / "ready"
    agent = smartpark.start("edge", "run", write_config(tmp_path, broker.url), "--ready-file", ready)
    wait_until(lambda: "cannot say in a file" in agent.output(), what="a word about the ready file")
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(30)])
    wait_until(lambda: ingest.values(ENERGY) == energy(range(30)), what="every reading")
    assert not ready.exists()
    filler.unlink()
    agent.wait_for_file(ready)
    assert agent.output().count("cannot say in a file") == 1
    assert "Traceback" not in agent.output()
