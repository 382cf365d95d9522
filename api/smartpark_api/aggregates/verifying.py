"""Whether a submission is what its sealer signed: from files alone, without a database and without us.

A folder holds what is needed, in files that other tools read too: the manifest as it was signed, the signature, the
rows as canonical lines, and the public key. Everything that is wrong is found, not only the first thing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from smartpark.aggregates import BadManifestError, Manifest, period_named
from smartpark.aggregates.manifest import key_id_of
from smartpark.clock import parse_instant
from smartpark.errors import SmartparkError

from smartpark_api.aggregates.seal_keys import is_signed, pem_of, public_of_pem

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
ROWS: Final = "rows.ndjson"
KEY: Final = "key.pem"
_SIGNATURE_BYTES: Final = 64


class UnverifiableError(SmartparkError):
    """A file that verification needs cannot be read."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What was handed in, as files hold it."""

    manifest: bytes
    signature: bytes
    rows: bytes
    public_key: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a verification."""

    manifest: Manifest | None
    """None: it is not one."""
    complaints: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything is as it was signed."""
        return not self.complaints


def write_paper(paper: Paper, folder: Path) -> list[Path]:
    """Write the files into a folder that is made where it is missing; nothing is overwritten."""
    content = {
        MANIFEST: paper.manifest,
        SIGNATURE: paper.signature,
        ROWS: paper.rows,
        KEY: pem_of(paper.public_key).encode(),
    }
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in content.items():
            with (folder / name).open("xb") as file:
                file.write(text)
            written.append(folder / name)
    except OSError as error:
        raise UnverifiableError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return written


def read_paper(folder: Path, *, key: Path | None = None) -> Paper:
    """Read the files of a folder; `key` is the public key as it was had from elsewhere, which proves more."""
    key_file = key or folder / KEY
    pem = _read(key_file).decode("ascii", "replace")
    return Paper(
        _read(folder / MANIFEST),
        _read(folder / SIGNATURE),
        _read(folder / ROWS),
        public_of_pem(pem, where=str(key_file)),
    )


def verify(paper: Paper) -> Verdict:
    """Compare signature, manifest and rows."""
    complaints: list[str] = []
    if len(paper.signature) != _SIGNATURE_BYTES:
        complaints.append(f"the signature has {len(paper.signature)} bytes, {_SIGNATURE_BYTES} are expected")
    elif not is_signed(paper.manifest, paper.signature, paper.public_key):
        complaints.append("the manifest is not what was signed with this key")
    try:
        manifest = Manifest.parse(paper.manifest.decode())
    except (BadManifestError, UnicodeDecodeError) as error:
        return Verdict(None, (*complaints, str(error)))
    return Verdict(manifest, (*complaints, *_about_key(manifest, paper), *_about_rows(manifest, paper.rows)))


def _about_key(manifest: Manifest, paper: Paper) -> Iterator[str]:
    given = key_id_of(paper.public_key)
    if manifest.key_id != given:
        yield f"the manifest names the key {manifest.key_id}, given is {given}"


def _about_rows(manifest: Manifest, rows: bytes) -> Iterator[str]:
    digest = sha256(rows).hexdigest()
    if digest != manifest.digest:
        yield f"the rows have the digest {digest}, the manifest says {manifest.digest}"
    lines = rows.splitlines()
    if len(lines) != manifest.rows:
        yield f"there are {len(lines)} rows, the manifest says {manifest.rows}"
    period = period_named(manifest.period)
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            told = (row["park"], row["grain"], parse_instant(row["start"]))
        except (ValueError, KeyError, TypeError):
            yield f"line {number} is no row"
            continue
        if told != (manifest.park, period.grain.value, period.start):
            yield f"line {number} is of {told[0]}, {told[1]} {row['start']}, not of {manifest.park} {manifest.period}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnverifiableError(f"{path}: cannot be read: {error.strerror}") from error
