"""A broker for the demonstration: mosquitto with users and topic rights, else the rumqttd of the `iotcore` wheel.

Both listen on the loopback interface only. With mosquitto every process has its own password and may touch only the
topics that are its own; rumqttd knows one list of passwords and no topic rights, and the caller says so.
"""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smartpark.errors import SmartparkError


class BrokerError(SmartparkError):
    """The broker cannot be started."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may connect, and what they may touch."""

    name: str
    password: str
    rights: tuple[str, ...]
    """Lines such as ``read tele/#`` or ``readwrite smartpark/#``."""


def load_users(file: Path) -> tuple[User, ...]:
    """Read users from JSON: a list of objects with name, password and rights."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return tuple(User(entry["name"], entry["password"], tuple(entry["rights"])) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokerError(f"users of the broker, {file}: not a list of name, password and rights: {error}") from error


def speaks_mqtt5(kind: str) -> bool:
    """Whether the broker that `exec_broker` chooses understands MQTT 5."""
    return kind != "rumqttd" and mosquitto_path() is not None


def mosquitto_path() -> str | None:
    """Where mosquitto is; Debian puts it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def write_mosquitto_files(folder: Path, port: int, users: tuple[User, ...]) -> Path:
    """Write configuration, password file and topic rights; returns the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"listener {port} 127.0.0.1",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 5",
        # The defaults would silently drop what comes after the first thousand messages.
        "max_queued_messages 0",
        "max_inflight_messages 200",
        "set_tcp_nodelay true",
        "log_type error",
        "log_type warning",
    ]
    if os.geteuid() == 0:
        # Started by root it would become the user mosquitto, who may not write here.
        lines.append("user root")
    if users:
        _write_private(folder / "passwords", "".join(f"{user.name}:{user.password}\n" for user in users))
        _hash_passwords(folder / "passwords")
        _write_private(folder / "rights", "\n".join(_rights(user) for user in users))
        lines += [
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'rights'}",
        ]
    else:
        lines.append("allow_anonymous true")
    configuration = folder / "mosquitto.conf"
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return configuration


def exec_broker(folder: Path, port: int, users: tuple[User, ...], *, kind: str = "auto") -> None:
    """Become the broker: mosquitto, rumqttd, or with "auto" the first of them that is there."""
    mosquitto = None if kind == "rumqttd" else mosquitto_path()
    if mosquitto is None and kind == "mosquitto":
        raise BrokerError("mosquitto is not installed; leave the choice open, or install it")
    if mosquitto is not None:
        configuration = write_mosquitto_files(folder, port, users)
        os.execv(mosquitto, [mosquitto, "-c", str(configuration)])  # noqa: S606  the process is the broker now
    run_embedded(folder, port, {user.name: user.password for user in users})


def run_embedded(folder: Path, port: int, passwords: Mapping[str, str]) -> None:
    """Run rumqttd in this process until it is stopped."""
    try:
        from iotcore.iotcore import IotCoreBroker  # noqa: PLC0415  an optional wheel, wanted only without mosquitto
    except ImportError:
        raise BrokerError("there is no broker here: install mosquitto, or the wheel iotcore") from None
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "rumqttd.toml"
    _write_private(configuration, embedded_configuration(port, passwords))
    # It reports every packet of a client as an error.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    IotCoreBroker(config_path=str(configuration)).run_forever()


def embedded_configuration(port: int, passwords: Mapping[str, str]) -> str:
    """Configuration of rumqttd: MQTT 3.1.1, as `iotcore` sets it up by itself.

    Passwords are our own hexadecimal ones, so nothing needs escaping.
    """
    accounts = [f'"{name}" = "{password}"' for name, password in passwords.items()]
    return "\n".join(
        [
            "id = 0",
            "[router]",
            "id = 0",
            "max_connections = 1000",
            "max_outgoing_packet_count = 200",
            "max_segment_size = 104857600",
            "max_segment_count = 10",
            "[v4.1]",
            'name = "v4-1"',
            f'listen = "127.0.0.1:{port}"',
            "next_connection_delay_ms = 1",
            "[v4.1.connections]",
            "connection_timeout_ms = 60000",
            "max_payload_size = 16777216",
            "max_inflight_count = 100",
            "dynamic_filters = true",
            *(["[v4.1.connections.auth]", *accounts] if accounts else []),
            "",
        ]
    )


def _hash_passwords(file: Path) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        raise BrokerError("mosquitto is there, but mosquitto_passwd is not; install the whole package mosquitto")
    done = subprocess.run([tool, "-U", str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BrokerError(f"mosquitto_passwd could not hash {file}: {done.stderr.strip()}")


def _rights(user: User) -> str:
    return "\n".join([f"user {user.name}", *(f"topic {right}" for right in user.rights), ""])


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
