"""The sender of NECC-NHJC: registers, looks whether the dictionary changed, uploads batches over HTTPS.

What the registration brought is kept in the database but for its key, which lies in a file or is asked for anew at
every start. When the platform refuses an upload, it may have forgotten the device, so the next round begins with a
registration; that repeats what both sides know and does no harm. The platform answers a batch as a whole: a batch
that it refuses is refused item by item, and the worker finds out in smaller company which one it meant.
"""

import logging
import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from smartpark.errors import InvalidFileError, Problem, RetryableError
from smartpark.exposition import Family, counter, gauge
from smartpark.tomlfile import load_model
from smartpark.uplinks import Delivery, nhjc
from smartpark.uplinks.nhjc_settings import CipherMethod, Item, KeyFrom, NhjcSettings
from smartpark_storage.uplinks import DueNumber, QueuedNumber

from smartpark_ingest.uplinks.kinds import Reply, Series, State, Verdict
from smartpark_ingest.uplinks.value_ciphers import BlockCipher, KeyFormError, key_of, read_key, write_key

_log = logging.getLogger(__name__)

_MOST_ANSWER: Final = 32 * 2**20
"""Longer answers are not read. [bytes]"""
_REFUSING: Final = frozenset({400, 413, 422})
"""Statuses by which a server says that it is this message that it does not take."""
_NOT_HERE: Final = frozenset({401, 403, 404, 410})
"""Statuses after which a registration may say where to go."""


class PlatformAwayError(RetryableError):
    """The platform cannot be reached, or is not itself."""


class BatchRefusedError(RetryableError):
    """The platform does not take this batch."""


def nhjc_uplink(path: Path) -> "NhjcUplink":
    """Uplink of a file, with the secrets that it names."""
    settings = load_model(path, NhjcSettings)
    problems: list[Problem] = []
    key, context = _key(settings, path, problems), _trust(settings, path, problems)
    if problems or context is None:
        raise InvalidFileError(problems)
    return NhjcUplink(settings, key, context)


def _key(settings: NhjcSettings, path: Path, problems: list[Problem]) -> bytes | None:
    """Key for values; None: values are not encrypted, or the registration brings it."""
    encryption = settings.encryption
    if encryption.method is CipherMethod.NONE or encryption.key_file is None:
        return None
    try:
        if encryption.key_from is KeyFrom.FILE or encryption.key_file.exists():
            return read_key(encryption.key_file, encryption.key_form)
    except KeyFormError as error:
        problems.append(Problem(str(path), "encryption.key_file", str(error)))
    return None


def _trust(settings: NhjcSettings, path: Path, problems: list[Problem]) -> ssl.SSLContext | None:
    """Whose certificates are believed."""
    ca_file = settings.platform.ca_file
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        problems.append(Problem(str(path), "platform.ca_file", f"{ca_file} is of no use: {error.strerror or error}"))
    return None


class NhjcUplink:
    """One enterprise at one platform."""

    kind = "nhjc"
    tells_whole_packets = False
    resting = frozenset[str]()

    def __init__(self, settings: NhjcSettings, key: bytes | None, context: ssl.SSLContext) -> None:
        self._settings, self._key = settings, key
        self._items: dict[str, Item] = {item.key: item for item in settings.item}
        # Each request would be a line of its log, with the address of the platform.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._client = httpx.Client(
            verify=context,
            timeout=settings.platform.timeout_s,
            proxy=settings.platform.proxy,
            trust_env=False,
            headers={"User-Agent": "smartpark"},
        )
        self._is_doubtful = False
        """The platform refused something: it may not know us any more."""
        self._registrations = 0
        self._unknown_codes = 0

    # --- what it is ---

    @property
    def name(self) -> str:
        """Under which the queue is kept."""
        return self._settings.uplink.name

    @property
    def delivery(self) -> Delivery:
        """How what is queued leaves."""
        return self._settings.delivery

    @property
    def series(self) -> Sequence[Series]:
        """What is told."""
        settings = self._settings
        return [
            Series(
                item=item.key,
                form=nhjc.form_digest(item, settings.form, settings.quality),
                park=item.park,
                boundary=item.boundary,
                indicator=item.indicator,
                grain=item.grain.value,
            )
            for item in settings.item
        ]

    def judge(self, number: DueNumber) -> Verdict:
        """Told, or withheld with the reason."""
        item = self._items[number.item]
        said = nhjc.told(
            item,
            self._settings.quality,
            number.value,
            number.completeness,
            was_told=number.known_digest is not None,
        )
        return Verdict("", said) if isinstance(said, str) else Verdict(nhjc.digest(item, self._settings.form, said))

    def ready(self, state: State, now: datetime) -> Mapping[str, datetime]:
        """Days and longer from the device's own time of day on; hours as they end."""
        return nhjc.ready_before(self._upload_time(state), now)

    def _upload_time(self, state: State) -> time:
        configured = self._settings.platform.upload_time
        if configured is not None:
            return configured
        # Before the registration nothing is told, so midnight does no harm: a preview shows what there is.
        return nhjc.upload_time(str(state.get("upload_time", "00:00:00")))

    # --- before the upload ---

    def connect(self, state: State, now: datetime) -> State:
        """Register where we are not known, then look whether the dictionary changed."""
        if self._is_doubtful or "device" not in state or self._lacks_key():
            return self._anew(state, now)
        try:
            return self._with_dictionary(dict(state), now)
        except nhjc.NhjcRefusedError as error:
            _log.warning("uplink %s: %s; registering again", self.name, error)
            return self._anew(state, now)

    def _anew(self, state: State, now: datetime) -> State:
        known = self._register(dict(state), now)
        self._is_doubtful = False
        return self._with_dictionary(known, now)

    def _lacks_key(self) -> bool:
        return self._settings.encryption.method is not CipherMethod.NONE and self._key is None

    def _register(self, state: dict[str, Any], now: datetime) -> dict[str, Any]:
        platform = self._settings.platform
        question = {"region": platform.region, "enterpriseCode": platform.enterprise_code}
        answer = self._ask(platform.register_url, question)
        found = nhjc.registration(answer, platform.allowed_hosts)
        self._keep_key(found.secret)
        self._registrations += 1
        _log.info("uplink %s: registered; uploads from %s on", self.name, found.upload_time)
        return state | {
            "device": found.device,
            "upload_url": found.upload_url,
            "dictionary_url": found.dictionary_url,
            "base_data_url": found.base_data_url,
            "upload_time": found.upload_time.isoformat(),
            "registered_at": now.isoformat(timespec="seconds"),
            # Another installation of the platform may speak another dictionary.
            "dictionary_checked_at": None,
        }

    def _keep_key(self, secret: str) -> None:
        encryption = self._settings.encryption
        if encryption.method is CipherMethod.NONE or encryption.key_from is KeyFrom.FILE:
            return
        if not secret:
            raise nhjc.NhjcAnswerError("values are to be encrypted, and the registration brought no secretKey")
        try:
            self._key = key_of(secret, encryption.key_form)
            if encryption.key_file is not None:
                write_key(encryption.key_file, secret)
        except KeyFormError as error:
            raise nhjc.NhjcAnswerError(f"secretKey of the registration: {error}") from None

    def _with_dictionary(self, state: dict[str, Any], now: datetime) -> dict[str, Any]:
        """State after asking for the version of the dictionary, and for base data where it is a new one."""
        every = timedelta(hours=self._settings.platform.dictionary_every_h)
        checked_at = state.get("dictionary_checked_at")
        if checked_at is not None and datetime.fromisoformat(checked_at) + every > now:
            self._unknown_codes = len(state.get("unknown_codes", ()))
            return state
        question = {"deviceId": state["device"], "enterpriseCode": self._settings.platform.enterprise_code}
        key = self._settings.platform.dictionary_version_key
        answer = self._ask(state["dictionary_url"], question)
        if answer.get(key) is None:
            raise nhjc.NhjcAnswerError(
                f"the answer about the dictionary has no {key}; see platform.dictionary_version_key"
            )
        version = nhjc.kept_text(answer[key], key)
        known = state | {"dictionary_checked_at": now.isoformat(timespec="seconds")}
        if version != state.get("dictionary_version"):
            known |= self._base_data(state, question) | {"dictionary_version": version}
        self._unknown_codes = len(known.get("unknown_codes", ()))
        return known

    def _base_data(self, state: State, question: Mapping[str, Any]) -> dict[str, Any]:
        """Which of our codes the platform's base data do not have; where they name none, nothing is known."""
        codes = nhjc.data_codes(self._ask(state["base_data_url"], question))
        unknown = sorted({item.data_code for item in self._settings.item} - codes) if codes else []
        if unknown:
            _log.warning("uplink %s: the platform's dictionary does not have %s", self.name, ", ".join(unknown))
        return {"base_data_codes": len(codes), "unknown_codes": unknown}

    def _ask(self, url: str, question: Mapping[str, Any]) -> dict[str, Any]:
        cipher = self._cipher() if self._settings.encryption.registration else None
        return nhjc.answered(self._post(url, nhjc.encode(question, cipher)))

    # --- the upload ---

    def send(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Reply:
        """One message; the platform takes all of it or nothing."""
        message = self._message(numbers, state, now)
        url = self._settings.platform.upload_url or str(state["upload_url"])
        try:
            nhjc.answered(self._post(url, nhjc.encode(message, self._cipher())))
        except (nhjc.NhjcRefusedError, BatchRefusedError) as error:
            self._is_doubtful = True
            return Reply(refused=[(number, str(error)) for number in numbers])
        return Reply(taken=list(numbers))

    def _message(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> dict[str, Any]:
        entries = [self._entry(number, now) for number in numbers]
        return nhjc.upload(str(state.get("device", "")), self._settings.platform.enterprise_code, entries)

    def _entry(self, number: QueuedNumber, now: datetime) -> dict[str, Any]:
        item, settings = self._items[number.item], self._settings
        said = nhjc.told(item, settings.quality, number.value, number.completeness)
        if isinstance(said, str):
            # Queued under these settings it was good; the queue is compared anew when they change.
            raise nhjc.NhjcFormError(
                f"{number.item} of {number.start.isoformat()} is queued and not to be told: {said}"
            )
        return nhjc.entry(item, settings.form, said, number.start, now)

    def preview(self, numbers: Sequence[QueuedNumber], state: State, now: datetime) -> Iterator[Mapping[str, Any]]:
        """The message, as it is before any encryption."""
        if numbers:
            yield self._message(numbers, state, now)

    def idle(self, now: datetime) -> bool:
        """Nothing: the platform asks nothing, and no connection is held."""
        del now
        return False

    def _cipher(self) -> BlockCipher | None:
        method = self._settings.encryption.method
        return None if method is CipherMethod.NONE or self._key is None else BlockCipher(method, self._key)

    def _post(self, url: str, body: bytes) -> bytes:
        where = urlsplit(url).hostname
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            with self._client.stream("POST", url, content=body, headers=headers) as answer:
                parts, size = list[bytes](), 0
                for part in answer.iter_bytes():
                    size += len(part)
                    if size > _MOST_ANSWER:
                        raise PlatformAwayError(f"platform {where}: its answer does not end")
                    parts.append(part)
                status = answer.status_code
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise PlatformAwayError(f"platform {where}: {error or type(error).__name__}") from None
        if status in _REFUSING:
            raise BatchRefusedError(f"platform {where} answers {status}")
        if status != HTTPStatus.OK:
            self._is_doubtful |= status in _NOT_HERE
            raise PlatformAwayError(f"platform {where} answers {status}")
        return b"".join(parts)

    # --- the rest ---

    def families(self) -> Iterator[Family]:
        """Registrations, and codes that the platform does not know."""
        labels = {"uplink": self.name}
        yield counter(
            "smartpark_uplink_registrations_total", "Registrations at the platform.", self._registrations, labels
        )
        yield gauge(
            "smartpark_uplink_unknown_codes",
            "Configured codes that the platform's base data do not have.",
            self._unknown_codes,
            labels,
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()
