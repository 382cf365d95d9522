"""What a source handed in: its paper and its rows, believed once signature, digest and rows agree.

A key is kept at first sight, as that of its source, and from then on it is that key; who it really belongs to a
person compares once, by the key's name. A seal that does not verify is refused and nothing of it is stored.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from smartpark.aggregates import AggregateRow, Manifest, key_id_of
from smartpark.clock import from_us, parse_instant, to_us, utc_now
from smartpark.errors import SmartparkError
from smartpark_storage import Connection
from smartpark_storage.aggregates import AggregateColumns, put_seal_key, read_seal_keys
from smartpark_storage.aggregates.columns import end_of_period

_log = logging.getLogger(__name__)


class SealBrokenError(SmartparkError):
    """A submission does not verify."""


@dataclass(frozen=True, slots=True)
class SealedPaper:
    """A submission as its source tells of it."""

    code: str
    manifest: str
    signature: bytes
    key_id: str
    public_key: bytes
    """Of the key of this name, as the source tells it."""


def paper_of(code: str, told: Any, keys: Any) -> SealedPaper:
    """Paper in the answers about a submission and about keys; a `SealBrokenError` names what they lack."""
    try:
        key_id = str(told["key_id"])
        named = {str(key["key_id"]): str(key["public_key"]) for key in cast("list[Mapping[str, Any]]", keys["keys"])}
        public = load_pem_public_key(named[key_id].encode())
        if not isinstance(public, Ed25519PublicKey):
            raise SealBrokenError(f"submission {code}: key {key_id} is not an Ed25519 key")
        if key_id != key_id_of(public.public_bytes_raw()):
            # People compare names: under the name of a key they trust stands no other one.
            raise SealBrokenError(
                f"submission {code}: what is told as key {key_id} is {key_id_of(public.public_bytes_raw())}"
            )
        return SealedPaper(
            code, str(told["manifest"]), bytes.fromhex(told["signature"]), key_id, public.public_bytes_raw()
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SealBrokenError(f"submission {code}: the source does not tell all of it: {error!r}") from error


def check_seal(connection: Connection, source: str, paper: SealedPaper, rows: bytes) -> Manifest:
    """The manifest, once signature and digest hold; a key seen for the first time is kept."""
    manifest = Manifest.parse(paper.manifest)
    if (manifest.code, manifest.key_id) != (paper.code, paper.key_id):
        raise SealBrokenError(f"submission {paper.code}: its manifest is of {manifest.code}, key {manifest.key_id}")
    public = _kept_key(connection, source, paper)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(paper.signature, paper.manifest.encode())
    except InvalidSignature:
        raise SealBrokenError(f"submission {paper.code}: the signature is not that of key {paper.key_id}") from None
    digest = hashlib.sha256(rows).hexdigest()
    if digest != manifest.digest:
        raise SealBrokenError(f"submission {paper.code}: its rows have the digest {digest}, not {manifest.digest}")
    return manifest


def _kept_key(connection: Connection, source: str, paper: SealedPaper) -> bytes:
    kept = {key.key_id: key.public_key for key in read_seal_keys(connection, source=source)}
    if paper.key_id not in kept:
        put_seal_key(connection, paper.key_id, paper.public_key, source=source, known_since=utc_now())
        _log.warning(
            "source %s: seals from now on with key %s; compare it once with what they say", source, paper.key_id
        )
        return paper.public_key
    if kept[paper.key_id] != paper.public_key:
        raise SealBrokenError(f"submission {paper.code}: key {paper.key_id} is another one than before")
    return kept[paper.key_id]


def rows_of_lines(lines: bytes) -> AggregateColumns:
    """Rows of canonical lines (docs/aggregates.md)."""
    try:
        return AggregateColumns.of(_row(json.loads(line)) for line in lines.splitlines())
    except (ValueError, KeyError, TypeError) as error:
        raise SealBrokenError(f"a line of the submission is no row: {error!r}") from error


def _row(told: Mapping[str, Any]) -> AggregateRow:
    start_us = to_us(parse_instant(told["start"]))
    return AggregateRow(
        park=told["park"],
        boundary=told["boundary"],
        indicator=told["indicator"],
        grain=told["grain"],
        start=from_us(start_us),
        end=from_us(end_of_period(told["grain"], start_us)),
        revision=told["revision"],
        value=told["value"],
        numerator=told["numerator"],
        denominator=told["denominator"],
        unit=told["unit"],
        completeness=told["completeness"],
        estimated_share=told["estimated_share"],
        uncertainty=told["uncertainty"],
        method=told["method"],
        factor_set=told["factor_set"],
        factors=tuple(told["factors"]),
        reason=told["reason"],
        computed_at=parse_instant(told["computed_at"]),
        submitted=True,
        submission=None,
        region="",
        uscc=None,
    )
