"""Files in pieces: CSV (also gzipped) by blocks of text, Parquet by rows, each piece an Arrow table with row numbers.

How a file falls into pieces depends on the file alone, so that an import that is continued, or repeated, meets the
same pieces under the same numbers. Rows that have too few or too many cells, and cells that are no numbers, are told
with their place; a value is parsed to the double nearest to what is written. Nothing is judged here.
"""

import gzip
import hashlib
import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import pyarrow.csv as pv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from smartpark.errors import InvalidFileError, Problem

from smartpark_ingest.history.arrow import pa, pc
from smartpark_ingest.history.mapfile import FileForm

BLOCK_BYTES: Final = 4 * 2**20
"""Text in one piece. Part of the identity of what is stored: changing it makes known files new ones."""
PIECE_CELLS: Final = 500_000
"""Cells in one piece of a Parquet file; part of the identity, too."""
_READ_BYTES: Final = 2**20
_NUMBER: Final = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


class Wrong(NamedTuple):
    """What cannot be taken."""

    row: int
    """Line of the file, the heading being 1; of Parquet, the row from 1."""
    column: str
    text: str
    reason: str


@dataclass(slots=True)
class Piece:
    """Some rows of a file."""

    number: int
    rows: NDArray[np.int64]
    """Where each row stands in the file."""
    columns: dict[str, Any]
    """Arrow arrays: stamps, names and status codes as they are, values as doubles, null where there is none."""
    wrong: list[Wrong] = field(default_factory=list[Wrong])
    read_bytes: int = 0
    """How far into the file this piece ends, compressed bytes where it is compressed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns to read."""

    texts: tuple[str, ...]
    """As they stand."""
    numbers: tuple[str, ...]


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet."""
    return path.suffix.lower() in {".parquet", ".pq"}


def digest(path: Path) -> bytes:
    """SHA-256 of what a file holds, whether gzipped or not."""
    found = hashlib.sha256()
    with _opened(path) as (stream, _):
        while data := stream.read(_READ_BYTES):
            found.update(data)
    return found.digest()


def headings(path: Path, form: FileForm) -> list[str]:
    """Names of the columns of a file."""
    if is_parquet(path):
        with _readable(path):
            return list(pq.read_schema(path).names)
    with _opened(path) as (stream, _):
        return _heading(path, stream.readline(), form)


def pieces(path: Path, form: FileForm, wanted: Wanted) -> Iterator[Piece]:
    """All pieces of a file, in order."""
    return _parquet_pieces(path, wanted) if is_parquet(path) else _text_pieces(path, form, wanted)


def _text_pieces(path: Path, form: FileForm, wanted: Wanted) -> Iterator[Piece]:
    with _opened(path) as (stream, raw):
        names = _heading(path, stream.readline(), form)
        line = 2
        for number, block in enumerate(_blocks(stream)):
            piece, lines = _parse(_Text(path, _as_utf8(path, block, form, line), number, line), names, form, wanted)
            piece.read_bytes = raw.tell()
            line += lines
            yield piece


def _blocks(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    rest = b""
    while data := stream.read(BLOCK_BYTES):
        data = rest + data
        cut = data.rfind(b"\n") + 1
        if cut:
            yield data[:cut]
        rest = data[cut:]
    if rest:
        yield rest


def _heading(path: Path, line: bytes, form: FileForm) -> list[str]:
    text = _as_utf8(path, line, form, 1).removeprefix(b"\xef\xbb\xbf")
    try:
        table = pv.read_csv(io.BytesIO(text), parse_options=pv.ParseOptions(delimiter=form.separator))
    except pa.ArrowInvalid as error:
        raise InvalidFileError([Problem(str(path), "row 1", f"no line of headings: {error}")]) from error
    return [str(name) for name in table.column_names]


def _as_utf8(path: Path, block: bytes, form: FileForm, line: int) -> bytes:
    if form.encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
        return block
    try:
        return block.decode(form.encoding).encode()
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidFileError(
            [Problem(str(path), f"from row {line} on", f"not {form.encoding}: {error}")]
        ) from error


class _Text(NamedTuple):
    """A piece of text, and where it stands."""

    path: Path
    block: bytes
    number: int
    line: int
    """Of its first row."""


def _parse(text: _Text, names: list[str], form: FileForm, wanted: Wanted) -> tuple[Piece, int]:
    """A piece of text, and how many lines it has."""
    path, block, number, line = text
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    try:
        table, odd = _read(block, names, form, wanted, pa.float64())
    except pa.ArrowInvalid:
        # Some cell is no number: read all as text, and find out which.
        try:
            table, odd = _read(block, names, form, wanted, pa.string())
        except pa.ArrowInvalid as error:
            raise InvalidFileError([Problem(str(path), f"rows {line} to {line + lines - 1}", str(error))]) from error
    keep = np.ones(lines, np.bool_)
    keep[[row - 1 for row, _ in odd]] = False
    piece = Piece(number, line + np.flatnonzero(keep), {})
    piece.wrong += [Wrong(line + row - 1, "", cells, "not as many cells as headings") for row, cells in odd if cells]
    for name in (*wanted.texts, *wanted.numbers):
        column = table.column(name).combine_chunks()
        as_number = name in wanted.numbers and not pa.types.is_floating(column.type)
        piece.columns[name] = _numbers(piece, name, column, form) if as_number else column
    return piece, lines


def _read(
    block: bytes, names: list[str], form: FileForm, wanted: Wanted, numbers: Any
) -> tuple[Any, list[tuple[int, str]]]:
    odd: list[tuple[int, str]] = []

    def note(row: Any) -> str:
        odd.append((row.number, row.text))
        return "skip"

    types = {name: pa.string() for name in wanted.texts} | dict.fromkeys(wanted.numbers, numbers)
    table = pv.read_csv(
        io.BytesIO(block),
        # One thread: only then rows have numbers. The database works meanwhile on another processor.
        read_options=pv.ReadOptions(column_names=names, use_threads=False, block_size=2 * len(block) + 1024),
        parse_options=pv.ParseOptions(delimiter=form.separator, ignore_empty_lines=False, invalid_row_handler=note),
        convert_options=pv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(form.missing),
            decimal_point=form.decimal,
        ),
    )
    return table, odd


def _numbers(piece: Piece, name: str, column: Any, form: FileForm) -> Any:
    """Doubles of a column of texts; what is none is told."""
    texts = column if form.decimal == "." else pc.replace_substring(column, form.decimal, ".")
    known = pc.invert(pc.is_in(pc.utf8_trim_whitespace(texts), pa.array(form.missing)))
    known = pc.and_(pc.fill_null(known, False), pc.is_valid(texts))
    is_number = pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False)
    for place in np.flatnonzero(pc.and_not(known, is_number).to_numpy(zero_copy_only=False)):
        piece.wrong.append(Wrong(int(piece.rows[place]), name, column[int(place)].as_py(), "not a number"))
    good = pc.if_else(pc.and_(known, is_number), pc.utf8_trim_whitespace(texts), pa.scalar(None, pa.string()))
    return pc.cast(good, pa.float64())


def _parquet_pieces(path: Path, wanted: Wanted) -> Iterator[Piece]:
    with _readable(path):
        file = pq.ParquetFile(path)
    rows = max(PIECE_CELLS // max(len(file.schema_arrow.names), 1), 1)
    size, total, at = path.stat().st_size, max(file.metadata.num_rows, 1), 0
    for number, batch in enumerate(file.iter_batches(rows, columns=[*wanted.texts, *wanted.numbers])):
        piece = Piece(number, at + 1 + np.arange(batch.num_rows), {})
        at += batch.num_rows
        piece.read_bytes = size * at // total
        for name in wanted.texts:
            piece.columns[name] = batch.column(name)
        for name in wanted.numbers:
            piece.columns[name] = _parquet_numbers(path, piece, name, batch.column(name))
        yield piece


def _parquet_numbers(path: Path, piece: Piece, name: str, column: Any) -> Any:
    kind = column.type
    if pa.types.is_float32(kind):
        # Its shortest decimal is what was meant: 230.1 and not 230.10000610351562.
        return pc.cast(pc.cast(column, pa.string()), pa.float64())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _numbers(piece, name, pc.cast(column, pa.string()), FileForm(shape="wide", time="", time_zone="UTC"))
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        raise InvalidFileError([Problem(str(path), name, f"a column of {kind} holds no numbers")])
    return pc.cast(column, pa.float64(), safe=False)


@contextmanager
def _opened(path: Path) -> Generator[tuple[BinaryIO | gzip.GzipFile, BinaryIO]]:
    """What a file holds, and the file itself, which knows how far it is."""
    with _readable(path), path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(fileobj=raw) as plain:
                yield plain, raw
        else:
            yield raw, raw


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InvalidFileError([Problem(str(path), "", "no such file")]) from None
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise InvalidFileError([Problem(str(path), "", f"cannot be read: {error}")]) from error
