"""A paho client from a `BrokerAddress`: protocol, credentials, TLS, limits. Connecting is its users' work."""

import random
import ssl
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from smartpark.broker import BrokerAddress

from smartpark_edge.choices import Protocol

KEEPALIVE_S: Final = 30
CONNECT_TIMEOUT_S: Final = 10.0


def build_client(
    address: BrokerAddress, *, client_id: str, protocol: Protocol, clean: bool, manual_ack: bool = False
) -> paho.Client:
    """Client that is ready to connect; `CredentialError` names a password or certificate of no use."""
    v5 = protocol is Protocol.V5
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if v5 else clean,
        protocol=paho.MQTTv5 if v5 else paho.MQTTv311,
        manual_ack=manual_ack,
        reconnect_on_failure=False,
    )
    if address.username is not None:
        client.username_pw_set(address.username, address.password())
    if address.tls:
        client.tls_set_context(address.tls_context())
    client.connect_timeout = CONNECT_TIMEOUT_S
    # Ours are bounded by the spool (publisher) and by the broker (source); paho's own limit would lose silently.
    client.max_queued_messages_set(0)
    return client


def connect(
    client: paho.Client, address: BrokerAddress, *, clean: bool, session_s: int = 0, receive: int = 0
) -> None:
    """Open the connection (`OSError` when nobody is there); the answer comes to ``on_connect``.

    Parameters
    ----------
    session_s : int
        Seconds that the broker keeps the session of an absent client (MQTT 5; older brokers keep it for ever).
    receive : int
        Messages that may be under way to us unacknowledged; 0: the broker's choice.
    """
    if client.protocol != paho.MQTTv5:
        client.connect(address.host, address.port, keepalive=KEEPALIVE_S)
        return
    properties = Properties(PacketTypes.CONNECT)
    if session_s:
        properties.SessionExpiryInterval = session_s
    if receive:
        properties.ReceiveMaximum = receive
    client.connect(address.host, address.port, keepalive=KEEPALIVE_S, clean_start=clean, properties=properties)


def refusal(address: BrokerAddress, reason: object) -> str:
    """Why a broker did not let us in, and as whom we came."""
    who = "a client without username" if address.username is None else f"user {address.username!r}"
    return f"refused {who}: {reason}"


def in_words(address: BrokerAddress, error: Exception) -> str:
    """Why a connection did not come about, in words that name what to look at."""
    if isinstance(error, ssl.SSLCertVerificationError):
        trusted = "the system's certificates" if address.ca_file is None else str(address.ca_file)
        return f"its certificate is not trusted: {error.verify_message} (trusted: {trusted})"
    if isinstance(error, ssl.SSLError):
        return f"no encrypted connection: {error.reason or error}"
    return str(error)


@dataclass(slots=True)
class Backoff:
    """Ever longer waits between attempts, never quite the same, so that a thousand agents do not knock together."""

    first_s: float = 0.5
    limit_s: float = 10.0
    """While a source is away its broker's or server's queue fills, and what overflows there is gone (mosquitto keeps
    1000 messages of an absent client): a longer wait would save a few packets and lose readings."""
    _next: float = 0.0

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        self._next = min(max(self._next * 2, self.first_s), self.limit_s)
        return self._next * random.uniform(0.5, 1.0)  # noqa: S311  jitter, no secret

    def reset(self) -> None:
        """It worked: start from the shortest wait again."""
        self._next = 0.0
