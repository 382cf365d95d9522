"""A platform of the monitoring of key energy users that does not exist: registers devices, takes uploads, and fails.

It speaks HTTP or HTTPS as the enterprises' side does in `smartpark.uplinks.nhjc`, keeps what it took (of each item
and period the newest upload), and can be told to refuse, to lose, to be slow, to answer rubbish or to forget a
device. A request that it failed to answer may have been taken all the same, as in the field. It checks every upload
strictly: what a real platform would silently misread, this one refuses.
"""

import contextlib
import json
import random
import socket
import ssl
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self, cast

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from smartpark.errors import SmartparkError
from smartpark.uplinks import digest_of
from smartpark.uplinks.nhjc import NhjcFormError, ValueCipher, decode

_LONGEST: Final = 64 * 2**20
_DATE: Final = "%Y-%m-%d %H:%M:%S"
_PATIENCE_S: Final = 30.0


class PlatformFault(StrEnum):
    """How it fails; each is about one request."""

    REFUSE = "refuse"
    """It answers 503."""
    DROP = "drop"
    """It hangs up without taking anything."""
    LOSE_ANSWER = "lose_answer"
    """It takes what it is told, and hangs up."""
    SLOW = "slow"
    """It takes what it is told, and answers after `slow_s`."""
    NO_ACK = "no_ack"
    """It answers an empty object."""
    GARBAGE = "garbage"
    """It answers 200 with a page of some proxy."""
    REJECT = "reject"
    """It answers responseCode 1 and takes nothing."""
    FORGET = "forget"
    """It forgets every device, then answers as always."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a value is about."""

    enterprise: str
    stat_type: int
    data_code: str
    stat_date: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The newest that was said of a key."""

    value: float
    is_valid: bool
    upload_date: str
    times: int = 1
    """How often it was told."""


class PlatformCipher:
    """Decrypts values: AES-128 or SM4 in ECB, padded as PKCS #7 says."""

    def __init__(self, method: str, key: bytes) -> None:
        algorithm = algorithms.SM4(key) if method.startswith("sm4") else algorithms.AES128(key)
        self._cipher = Cipher(algorithm, modes.ECB())  # noqa: S305  what the platforms speak

    def encrypt(self, plain: bytes) -> bytes:
        """Whole blocks."""
        padder, encryptor = padding.PKCS7(128).padder(), self._cipher.encryptor()
        return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, secret: bytes) -> bytes:
        """What was encrypted."""
        unpadder, decryptor = padding.PKCS7(128).unpadder(), self._cipher.decryptor()
        return unpadder.update(decryptor.update(secret) + decryptor.finalize()) + unpadder.finalize()


@dataclass
class PlatformOptions:
    """What a platform is like."""

    upload_time: time = time(1, 38)
    secret: str = "0123456789abcdef"  # noqa: S105  a simulator's
    method: str = "none"
    """``none``, ``aes-128-ecb`` or ``sm4-ecb``."""
    codes: tuple[str, ...] = ()
    """Of its base data; none: it knows every code."""
    refused_codes: frozenset[str] = frozenset()
    """Uploads with one of these are refused as a whole."""
    most_items: int | None = None
    """Of one upload; a longer one is answered 413."""
    version: str = "1"
    enterprises: frozenset[str] = frozenset()
    """Whom it knows; none: everybody."""
    slow_s: float = 5.0
    fault_share: float = 0.0
    """Share of requests that meet a random fault."""
    faults: tuple[PlatformFault, ...] = tuple(PlatformFault)
    """Which ones."""
    seed: int = 1


@dataclass
class Heard:
    """What came in, by path."""

    requests: Counter[str] = field(default_factory=Counter[str])
    uploads: list[datetime] = field(default_factory=list[datetime])
    """``uploadDate`` of each upload that was taken."""
    refusals: list[str] = field(default_factory=list[str])
    """Why something was refused."""
    faults: Counter[PlatformFault] = field(default_factory=Counter[PlatformFault])
    """What went wrong how often."""


class _RefusedError(SmartparkError):
    """Answered with responseCode 1."""


class NhjcPlatform:
    """Listens until closed; everything else may be looked at and changed while it does."""

    def __init__(
        self,
        options: PlatformOptions | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        certificate: tuple[Path, Path] | None = None,
        ledger: Path | None = None,
    ) -> None:
        self.options = options or PlatformOptions()
        self.taken: dict[Key, Taken] = {}
        self.devices: dict[str, str] = {}
        """Device → enterprise."""
        self.heard = Heard()
        self.next_faults: deque[PlatformFault | None] = deque()
        """Met by the next requests, one each; None: that one goes well."""
        self.lock = threading.RLock()
        self._dice = random.Random(self.options.seed)  # noqa: S311  which request fails, not a secret
        self._ledger = ledger
        self._scheme = "http" if certificate is None else "https"
        self._server = _Server((host, port), self)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def register_url(self) -> str:
        """Where devices register."""
        return f"{self.address}/register"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- answers ---

    def fault(self) -> PlatformFault | None:
        """What goes wrong with the request at hand."""
        with self.lock:
            found: PlatformFault | None = None
            if self.next_faults:
                found = self.next_faults.popleft()
            elif self._dice.random() < self.options.fault_share:
                found = self._dice.choice(self.options.faults)
            if found is not None:
                self.heard.faults[found] += 1
        return found

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """Answer to a request that nothing goes wrong with."""
        with self.lock:
            self.heard.requests[path] += 1
            try:
                return {"responseCode": "0", "responseMessage": "成功", **self._answer(path, body)}
            except (_RefusedError, NhjcFormError) as refused:
                self.heard.refusals.append(str(refused))
                return {"responseCode": "1", "responseMessage": str(refused)}

    def is_too_long(self, path: str, body: bytes) -> bool:
        """Whether a message is longer than it takes."""
        most = self.options.most_items
        return most is not None and path == "/upload" and body.count(b'"dataCode"') > most

    def forget(self) -> None:
        """Know no device any more."""
        with self.lock:
            self.devices.clear()

    def _answer(self, path: str, body: bytes) -> dict[str, Any]:
        match path:
            case "/register":
                return self._register(decode(body))
            case "/dictionary":
                self._device(decode(body))
                return {"version": self.options.version}
            case "/base-data":
                self._device(decode(body))
                return {"data": [{"dataCode": code, "name": code} for code in self.options.codes]}
            case "/upload":
                return self._upload(decode(body, self._cipher()))
            case _:
                raise _RefusedError(f"there is nothing at {path}")

    def _cipher(self) -> ValueCipher | None:
        if self.options.method == "none":
            return None
        return PlatformCipher(self.options.method, self.options.secret.encode())

    def _register(self, question: Mapping[str, Any]) -> dict[str, Any]:
        enterprise = question.get("enterpriseCode")
        if not isinstance(enterprise, str) or set(question) != {"region", "enterpriseCode"}:
            raise _RefusedError("注册信息不完整")
        if self.options.enterprises and enterprise not in self.options.enterprises:
            raise _RefusedError("序列号与企业统一社会信用代码不符")
        device = f"D{digest_of(enterprise)[:12]}"
        self.devices[device] = enterprise
        return {
            "deviceId": device,
            "centerDataURL": f"{self.address}/upload",
            "centerInfoDownloadURL": f"{self.address}/center-info",
            "downloadBaseDataURL": f"{self.address}/base-data",
            "loadDicVersionURL": f"{self.address}/dictionary",
            "uploadTime": self.options.upload_time.isoformat(),
            "secretKey": self.options.secret,
        }

    def _device(self, question: Mapping[str, Any]) -> str:
        enterprise = self.devices.get(str(question.get("deviceId")))
        if enterprise is None:
            raise _RefusedError("设备未注册")
        if enterprise != question.get("enterpriseCode"):
            raise _RefusedError("序列号与企业统一社会信用代码不符")
        return enterprise

    def _upload(self, message: Mapping[str, Any]) -> dict[str, Any]:
        enterprise = self._device(message)
        entries = message.get("data")
        if not isinstance(entries, list) or not entries:
            raise _RefusedError("data is no list of values")
        found = [_entry(enterprise, entry) for entry in cast("list[object]", entries)]
        for key, _ in found:
            if key.data_code in self.options.refused_codes:
                raise _RefusedError(f"数据编码不存在: {key.data_code}")
        self._take(found)
        return {}

    def _take(self, found: Sequence[tuple[Key, Taken]]) -> None:
        """Keep the newest; the same upload said twice changes nothing."""
        self.heard.uploads.append(datetime.strptime(found[0][1].upload_date, _DATE))  # noqa: DTZ007  local, as written
        for key, new in found:
            old = self.taken.get(key)
            if old is None:
                self.taken[key] = new
            elif new.upload_date >= old.upload_date:
                self.taken[key] = Taken(new.value, new.is_valid, new.upload_date, old.times + 1)
        if self._ledger is not None:
            with self._ledger.open("a", encoding="utf-8") as ledger:
                for key, new in found:
                    line = [key.enterprise, key.stat_type, key.data_code, key.stat_date, new.value, new.upload_date]
                    ledger.write(f"{json.dumps(line)}\n")


def _entry(enterprise: str, entry: object) -> tuple[Key, Taken]:
    """One element of ``data``; strict, though values that were encrypted are text."""
    wanted = {
        *("dataCode", "dataValue", "inputType", "statType", "statDate", "uploadDate", "scope", "valid"),
    }
    if not isinstance(entry, dict) or set(cast("dict[str, object]", entry)) != wanted:
        raise _RefusedError(f"an element of data has not the keys {sorted(wanted)}")
    given = cast("dict[str, Any]", entry)
    try:
        stat_type, input_type, scope = (int(given[name]) for name in ("statType", "inputType", "scope"))
        value = float(given["dataValue"])
        for name in ("statDate", "uploadDate"):
            datetime.strptime(given[name], _DATE)  # noqa: DTZ007  local, as the protocol writes it
    except (TypeError, ValueError) as error:
        raise _RefusedError(f"a value of data is not what it should be: {error}") from None
    if stat_type not in range(4) or input_type not in range(1, 6) or scope not in range(1, 5):
        raise _RefusedError("statType, inputType or scope is out of range")
    is_valid = {"true": True, "True": True, "0": True, "false": False, "False": False, "1": False}.get(
        str(given["valid"])
    )
    if is_valid is None:
        raise _RefusedError(f"valid is {given['valid']!r}")
    key = Key(enterprise, stat_type, str(given["dataCode"]), given["statDate"])
    return key, Taken(value, is_valid, given["uploadDate"])


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], platform: NhjcPlatform) -> None:
        self.platform = platform
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody hung up, or does not trust our certificate: that is their affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  always ours
    timeout = _PATIENCE_S
    server_version = "nhjc-platform"
    sys_version = ""

    def do_POST(self) -> None:
        """Take one message, or fail to."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _LONGEST))
        platform = self.server.platform
        fault = platform.fault()
        if fault is PlatformFault.FORGET:
            platform.forget()
        if fault is PlatformFault.DROP:
            self._hang_up()
        elif fault is PlatformFault.REFUSE:
            self._say(503, b"")
        elif fault is PlatformFault.REJECT:
            self._say(200, json.dumps({"responseCode": "1", "responseMessage": "解密失败"}).encode())
        elif fault is PlatformFault.NO_ACK:
            self._say(200, b"{}")
        elif fault is PlatformFault.GARBAGE:
            self._say(200, b"<html><body>Please log in</body></html>")
        else:
            if platform.is_too_long(self.path, body):
                self._say(413, b"")
                return
            answer = json.dumps(platform.answer(self.path, body), ensure_ascii=False).encode()
            if fault is PlatformFault.LOSE_ANSWER:
                self._hang_up()
                return
            if fault is PlatformFault.SLOW:
                threading.Event().wait(platform.options.slow_s)
            self._say(200, answer)

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that the base class gave it
        """Quiet: what it took is what counts."""
