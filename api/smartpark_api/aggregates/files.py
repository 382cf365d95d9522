"""Rows of a pull as a file, page after page: whole when it is there, and never over another one."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from smartpark.errors import SmartparkError
from smartpark_storage.aggregates import AggregateColumns

from smartpark_api.aggregates.arrow import Batch, pa, pq
from smartpark_api.aggregates.formats import COMPRESSION, Form, csv_header, csv_lines, ndjson, plain_lists
from smartpark_api.aggregates.tables import table_of

FORMS: Final = {"ndjson": Form.NDJSON, "csv": Form.CSV, "parquet": Form.PARQUET, "arrow": Form.ARROW}
"""By the ending of a file's name."""


class RowFileError(SmartparkError):
    """Rows cannot be written to a file."""


class RowWriter(Protocol):
    """Takes pages."""

    def write(self, columns: AggregateColumns) -> None:
        """Add a page."""
        ...


class _Lines:
    def __init__(self, file: BinaryIO, form: Form) -> None:
        self._file = file
        self._is_csv = form is Form.CSV
        self._has_begun = False

    def write(self, columns: AggregateColumns) -> None:
        rows = table_of(columns)
        if self._is_csv and not self._has_begun:
            self._file.write(csv_header(rows))
        self._has_begun = True
        self._file.write(csv_lines(rows) if self._is_csv else ndjson(rows))


class _Arrow:
    """Arrow streams and Parquet files, which learn their columns from the first page."""

    def __init__(self, file: BinaryIO, form: Form, stack: ExitStack) -> None:
        self._file = file
        self._form = form
        self._stack = stack
        self._writer: Any = None

    def write(self, columns: AggregateColumns) -> None:
        rows = plain_lists(table_of(columns))
        if self._writer is None:
            self._writer = self._stack.enter_context(self._opened(rows))
        self._writer.write_batch(rows)

    def _opened(self, rows: Batch) -> Any:
        if self._form is Form.PARQUET:
            return pq.ParquetWriter(self._file, rows.schema, compression=COMPRESSION)
        return pa.ipc.new_stream(self._file, rows.schema)


@contextmanager
def row_file(path: Path | None, form: Form) -> Generator[RowWriter]:
    """A new file for rows, or standard output; the file gets its name once all is in it."""
    with ExitStack() as stack:
        file = sys.stdout.buffer if path is None else stack.enter_context(_new_file(path))
        if form in {Form.CSV, Form.NDJSON}:
            yield _Lines(file, form)
        else:
            # Closed before the file is, so that its end is written.
            yield _Arrow(file, form, stack)


@contextmanager
def _new_file(path: Path) -> Generator[BinaryIO]:
    if path.exists():
        raise RowFileError(f"{path}: there is a file already, and it is left as it is; name another")
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except OSError as error:
        raise RowFileError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
