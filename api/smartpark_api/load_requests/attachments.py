"""Documents of a request: bytes in files outside the database, each under an id of ours in a folder of its own.

What comes in is not believed: the name is cleaned, the type is told by the first bytes and has to agree with the
ending, the size is limited while it arrives. Nothing is unpacked, rendered or searched for viruses here. A file is
written under another name, synced, and gets its own only when it is whole; one whose transaction then fails is
removed again.
"""

import codecs
import os
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from smartpark.errors import SmartparkError
from smartpark.load_requests.events import Attached

MOST_BYTES: Final = 20 * 2**20
"""Size that a document may have unless the installation says otherwise. [B]"""
_MOST_NAME: Final = 120
_CHUNK: Final = 64 * 1024
_HEAD: Final = 4096
_ID: Final = re.compile(r"[0-9a-f]{32}")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class AttachmentRefusedError(SmartparkError):
    """The document is not one that is taken."""


class AttachmentTooLargeError(AttachmentRefusedError):
    """The document is larger than is allowed."""


class AttachmentMissingError(SmartparkError):
    """The document is on record, and its file is not there."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of document that is taken."""

    media_type: str
    begins: tuple[bytes, ...]
    """First bytes; none: text."""


_ZIP: Final = (b"PK\x03\x04",)
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
ALLOWED: Final[dict[str, FileKind]] = {
    ".pdf": FileKind("application/pdf", (b"%PDF-",)),
    ".png": FileKind("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": FileKind("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": FileKind("image/jpeg", (b"\xff\xd8\xff",)),
    ".docx": FileKind(f"{_OFFICE}.wordprocessingml.document", _ZIP),
    ".xlsx": FileKind(f"{_OFFICE}.spreadsheetml.sheet", _ZIP),
    ".dwg": FileKind("image/vnd.dwg", (b"AC10",)),
    ".csv": FileKind("text/csv", ()),
    ".txt": FileKind("text/plain", ()),
}
"""What is taken, by its ending: documents, pictures and drawings, nothing that a browser would run."""
_INSIDE: Final = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}
_MACROS: Final = "vbaproject.bin"
KINDS: Final = (
    "application",
    "licence",
    "authorisation",
    "premises",
    "project_approval",
    "equipment_list",
    "load_nature",
    "energy_review",
    "survey",
    "scheme",
    "drawing",
    "inspection",
    "acceptance",
    "contract",
    "other",
)
"""What a document may be, as the archive of a request lists them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A document whose bytes lie in the folder."""

    attachment: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    path: Path = field(repr=False)

    def forget(self) -> None:
        """Take the file away again: the same document is kept already."""
        self.path.unlink(missing_ok=True)


def attached(kept: Kept, kind: str) -> Attached:
    """Event that tells of a document."""
    return Attached(
        attachment=kept.attachment, name=kept.name, kind=kind, size_bytes=kept.size_bytes, sha256=kept.sha256
    )


def clean_name(given: str) -> str:
    """Name that is safe to show and to save under; refused when it tries to be more than a name.

    Examples
    --------
    >>> clean_name("  供电方案 答复单.PDF ")
    '供电方案 答复单.pdf'
    """
    # Spaces of other widths, as word processors write them, look like a space and are found by one.
    spaced = ("".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in given)).strip()
    name = unicodedata.normalize("NFC", spaced)
    if not name or len(name) > _MOST_NAME:
        raise AttachmentRefusedError(f"a document's name has 1 to {_MOST_NAME} characters")
    # Cc and Cf: control characters, and those that turn the direction of writing and so disguise an ending.
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for sign in name):
        raise AttachmentRefusedError("the document's name holds characters that nobody sees; rename it")
    if "/" in name or "\\" in name or ":" in name or name.startswith(".") or _RESERVED.fullmatch(name):
        raise AttachmentRefusedError(f"{name!r} is a path or a device, not the name of a document; rename it")
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ALLOWED:
        raise AttachmentRefusedError(f"{name!r}: documents end in {', '.join(ALLOWED)}")
    return PurePosixPath(name).stem.strip() + ending


def check_kind(kind: str) -> str:
    """Kind of a document, from the closed list."""
    if kind not in KINDS:
        raise AttachmentRefusedError(f"kind {kind!r}: a document is one of {', '.join(KINDS)}")
    return kind


class AttachmentStore:
    """A folder of documents."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self.most_bytes = most_bytes

    @contextmanager
    def keeping(self, given_name: str, chunks: Iterable[bytes]) -> Generator[Kept]:
        """Keep a document for a transaction; when that fails, its file is removed again.

        Raises
        ------
        AttachmentRefusedError
            When name, type or size is not allowed; nothing is left behind.
        """
        name = clean_name(given_name)
        attachment = secrets.token_hex(16)
        path = self._path(attachment)
        draft = path.with_suffix(".part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            size, digest = self._write(draft, chunks, PurePosixPath(name).suffix)
            draft.rename(path)
        except OSError as error:
            raise SmartparkError(
                f"{self._folder}: a document cannot be kept there: {error.strerror or error}"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        try:
            yield Kept(attachment, name, ALLOWED[PurePosixPath(name).suffix].media_type, size, digest, path)
        except BaseException:  # whatever it was, a visitor gone included; raised again
            path.unlink(missing_ok=True)
            raise

    def read(self, attachment: str) -> Iterator[bytes]:
        """Bytes of a document, in pieces; `AttachmentMissingError` at once when its file is gone."""
        try:
            file = self._path(attachment).open("rb")
        except OSError as error:
            raise AttachmentMissingError(
                f"the file of document {attachment} is not in the folder of documents; look for it in a backup"
            ) from error

        def pieces() -> Iterator[bytes]:
            with file:
                while piece := file.read(_CHUNK):
                    yield piece

        return pieces()

    def _write(self, draft: Path, chunks: Iterable[bytes], ending: str) -> tuple[int, str]:
        size, digest, head = 0, sha256(), b""
        text = _TextCheck() if not ALLOWED[ending].begins else None
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > self.most_bytes:
                    raise AttachmentTooLargeError(f"a document has at most {self.most_bytes / 2**20:g} MiB")
                if len(head) < _HEAD:
                    head += chunk[:_HEAD]
                    _check_head(head, ending)
                if text is not None:
                    text.feed(chunk)
                digest.update(chunk)
                file.write(chunk)
            _check_whole(head, size, ending)
            if text is not None:
                text.end()
            file.flush()
            os.fsync(file.fileno())
        if ending in _INSIDE:
            _check_archive(draft, ending)
        return size, digest.hexdigest()

    def _path(self, attachment: str) -> Path:
        if _ID.fullmatch(attachment) is None:
            raise AttachmentMissingError(f"{attachment!r} is not the id of a document")
        return self._folder / attachment[:2] / attachment


def _check_head(head: bytes, ending: str) -> None:
    """Refuse as soon as the first bytes are there, not after the last of many."""
    begins = ALLOWED[ending].begins
    if begins and len(head) >= max(map(len, begins)) and not head.startswith(begins):
        raise AttachmentRefusedError(f"the document is not what its ending {ending} says; save it as what it is")


def _check_whole(head: bytes, size: int, ending: str) -> None:
    begins = ALLOWED[ending].begins
    if size == 0:
        raise AttachmentRefusedError("the document is empty")
    if begins and not head.startswith(begins):
        raise AttachmentRefusedError(f"the document is not what its ending {ending} says; save it as what it is")


def _check_archive(draft: Path, ending: str) -> None:
    """Refuse an archive that is no office document, or one with macros; only its table of contents is read."""
    try:
        with zipfile.ZipFile(draft) as archive:
            names = archive.namelist()
    # What the library raises for an archive that is damaged, or written in a way that it cannot read.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise AttachmentRefusedError(f"the document is no {ending} file that can be read; save it anew") from None
    if _INSIDE[ending] not in names:
        raise AttachmentRefusedError(f"the archive is no {ending} document; save it anew from the office program")
    if any(name.lower().endswith(_MACROS) for name in names):
        raise AttachmentRefusedError("the document holds macros; save it without them")


class _TextCheck:
    """Whether bytes are text: UTF-8 or GB18030, without the control characters that only programs have."""

    _CONTROL: Final = bytes(set(range(32)) - {9, 10, 12, 13}) + b"\x7f"

    def __init__(self) -> None:
        self._decoders = [codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")]

    def feed(self, chunk: bytes) -> None:
        """Look at further bytes."""
        if chunk.translate(None, self._CONTROL) != chunk:
            raise AttachmentRefusedError("the document is no text: it holds control characters")
        self._decode(chunk, final=False)

    def end(self) -> None:
        """There are no more."""
        self._decode(b"", final=True)

    def _decode(self, chunk: bytes, *, final: bool) -> None:
        for decoder in list(self._decoders):
            try:
                decoder.decode(chunk, final)
            except UnicodeDecodeError:
                self._decoders.remove(decoder)
        if not self._decoders:
            raise AttachmentRefusedError("the document is text neither in UTF-8 nor in GB18030")


def download_headers(name: str, *, size: int | None, digest: str | None) -> dict[str, str]:
    """Headers that make a browser save a file and never show or run it."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\;' else "_" for sign in name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    if size is not None:
        headers["Content-Length"] = str(size)
    if digest is not None:
        headers["ETag"] = f'"{digest}"'
    return headers
