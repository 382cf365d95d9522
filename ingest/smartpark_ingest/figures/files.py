"""Tables of business figures in CSV and XLSX: every row is a figure, or a problem with file, sheet, row, column.

A file is read to its end whatever is wrong in it. The first row that is not a remark holds the headings, in code
names or in Chinese, in any order; rows and sheets whose first cell begins with ``#`` are remarks. CSV may be UTF-8 or
GB18030, as spreadsheets in China write it. Nothing is stored here.
"""

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic import ValidationError
from smartpark.business_figures import (
    COLUMNS,
    FIGURES,
    BusinessFigure,
    FigureKind,
    figure_problems,
)
from smartpark.errors import InvalidFileError, Problem

REQUIRED: Final = ("park", "kind", "period", "value", "source_document")
"""Columns that a table must have; who entered the figures may be said once for all."""
REMARK: Final = "#"
_HEADINGS: Final = {name: name for name in COLUMNS} | {zh: name for name, zh in COLUMNS.items()}
_EXAMPLES: Final = (
    ("park-code", "park", "value_added", "", "2026Q1", "8500", "万元", "current", "no", "统计月报 2026-04", "陈", ""),
    ("park-code", "enterprise/CODE", "output", "", "2026-05", "1234.5", "万元", "current", "yes", "邮件", "陈", ""),
    ("park-code", "enterprise/CODE", "product_output", "钢材", "2026-05", "3200", "t", "", "", "产量日报", "陈", ""),
    ("park-code", "park", "carbon_budget_t", "", "2026", "120000", "t", "", "no", "园区碳预算通知", "陈", ""),
)  # fmt: skip
Cells = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands."""

    file: str
    sheet: str
    """Empty: a CSV file has none."""
    row: int
    """As the spreadsheet counts them, from 1."""

    @property
    def text(self) -> str:
        """Sheet and row, for problems."""
        return f"sheet {self.sheet!r} row {self.row}" if self.sheet else f"row {self.row}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells by column, and the figure it is, if it is one."""

    place: Place
    cells: Cells
    figure: BusinessFigure | None
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class FigureTable:
    """What files hold."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """Of files and headings, not of single rows."""

    @property
    def figures(self) -> list[BusinessFigure]:
        """Rows that are in order."""
        return [row.figure for row in self.rows if row.figure is not None and not row.problems]

    @property
    def all_problems(self) -> list[Problem]:
        """Of files, then of rows in their order."""
        return [*self.problems, *(problem for row in self.rows for problem in row.problems)]

    @property
    def wrong_rows(self) -> list[Row]:
        """Rows with problems."""
        return [row for row in self.rows if row.problems]


def read_tables(paths: Iterable[Path], *, entered_by: str = "") -> FigureTable:
    """Read and check tables of figures; `entered_by` stands in where a row does not say.

    A figure that occurs twice is a problem of both rows, in one file or in several.
    """
    table = FigureTable()
    for path in paths:
        try:
            for sheet, rows in _sheets(path):
                _read_sheet(table, path, sheet, rows, entered_by)
        except InvalidFileError as error:
            table.problems += error.problems
    table.rows = list(_without_twins(table.rows))
    return table


def with_complaints(table: FigureTable, complaints: Sequence[str | None]) -> FigureTable:
    """Table in which the rows of its figures have further problems, one or none per figure, in order."""
    given = iter(complaints)
    rows: list[Row] = []
    for row in table.rows:
        complaint = next(given) if row.figure is not None and not row.problems else None
        rows.append(_complained(row, complaint) if complaint else row)
    return FigureTable(rows, table.problems)


def _complained(row: Row, complaint: str) -> Row:
    column, _, message = complaint.partition(": ")
    problem = Problem(row.place.file, f"{row.place.text}, {column}", message)
    return Row(row.place, row.cells, row.figure, (*row.problems, problem))


def _sheets(path: Path) -> Iterator[tuple[str, Iterator[tuple[int, Sequence[Any]]]]]:
    if path.suffix.lower() == ".xlsx":
        yield from _sheets_of_workbook(path)
    elif path.suffix.lower() == ".csv":
        yield "", _rows_of_csv(path)
    else:
        raise InvalidFileError([Problem(str(path), "", "figures come as .csv or .xlsx; save it as one of them")])


def _rows_of_csv(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""))
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InvalidFileError([Problem(str(path), f"row {reader.line_num}", f"not a CSV row: {error}")]) from error


def _text(path: Path) -> str:
    """Text of a file in UTF-8, else in GB18030."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InvalidFileError([Problem(str(path), "", "no such file")]) from None
    except OSError as error:
        raise InvalidFileError([Problem(str(path), "", f"cannot be read: {error.strerror or error}")]) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidFileError([Problem(str(path), "", "is text neither in UTF-8 nor in GB18030: save it as CSV UTF-8")])


def _sheets_of_workbook(path: Path) -> Iterator[tuple[str, Iterator[tuple[int, Sequence[Any]]]]]:
    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise InvalidFileError([Problem(str(path), "", "no such file")]) from None
    except (OSError, InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidFileError([Problem(str(path), "", f"is not a workbook that can be read: {error}")]) from error
    try:
        for sheet in workbook.worksheets:
            rows = [(number, row) for number, row in enumerate(sheet.iter_rows(values_only=True), 1) if any(row)]
            if rows and not str(rows[0][1][0] or "").startswith(REMARK):
                yield sheet.title, iter(rows)
    finally:
        workbook.close()


def _read_sheet(
    table: FigureTable, path: Path, sheet: str, rows: Iterator[tuple[int, Sequence[Any]]], entered_by: str
) -> None:
    names: list[str] | None = None
    for number, given in rows:
        cells = [_cell(cell) for cell in given]
        if not any(str(cell) for cell in cells) or str(cells[0]).startswith(REMARK):
            continue
        place = Place(str(path), sheet, number)
        if names is None:
            names, problems = _headings(cells, place)
            table.problems += problems
            if problems:
                return
        else:
            table.rows.append(_row(place, names, cells, entered_by))
    if names is None:
        table.problems.append(Problem(str(path), f"sheet {sheet!r}" if sheet else "", "holds no table"))


def _cell(cell: Any) -> Any:
    """Cell as the model understands it: spreadsheets turn months into dates and years into numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m}" if cell.day == 1 else f"{cell:%Y-%m-%d}"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell.strip() if isinstance(cell, str) else cell


def _headings(cells: Sequence[Any], place: Place) -> tuple[list[str], list[Problem]]:
    given = [str(cell) for cell in cells]
    while given and not given[-1]:
        given.pop()
    names = [_HEADINGS.get(heading, heading) for heading in given]
    problems = [
        Problem(place.file, place.text, f"unknown column {heading!r}; there are: {', '.join(COLUMNS)}")
        for heading, name in zip(given, names, strict=True)
        if name not in COLUMNS
    ]
    problems += [
        Problem(place.file, place.text, f"the column {name} ({COLUMNS[name]}) is missing")
        for name in REQUIRED
        if name not in names
    ]
    problems += [
        Problem(place.file, place.text, f"the column {name} occurs {names.count(name)} times")
        for name in COLUMNS
        if names.count(name) > 1
    ]
    return names, problems


def _row(place: Place, names: Sequence[str], cells: Sequence[Any], entered_by: str) -> Row:
    extra = [str(cell) for cell in cells[len(names) :] if str(cell)]
    found: Cells = dict(zip(names, cells, strict=False))
    if extra:
        problem = Problem(place.file, place.text, f"has more cells than there are headings: {', '.join(extra)}")
        return Row(place, found, None, (problem,))
    document = {name: cell for name, cell in found.items() if cell != "" or name in REQUIRED}
    document = {name: cell if name == "value" else _as_text(cell) for name, cell in document.items()}
    if entered_by:
        document.setdefault("entered_by", entered_by)
    try:
        return Row(place, found, BusinessFigure.model_validate(document))
    except ValidationError as error:
        return Row(place, found, None, tuple(figure_problems(error, document, file=place.file, row=place.text)))


def _as_text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _without_twins(rows: Sequence[Row]) -> Iterator[Row]:
    """Rows, with a problem in each that gives a figure which another row gives too."""
    places: defaultdict[tuple[str, ...], list[Place]] = defaultdict(list)
    for row in rows:
        if row.figure is not None:
            places[row.figure.key].append(row.place)
    for row in rows:
        twins = [place for place in places[row.figure.key] if place != row.place] if row.figure is not None else []
        if not twins:
            yield row
            continue
        where = ", ".join(f"{twin.file} {twin.text}" for twin in twins)
        yield Row(
            row.place,
            row.cells,
            row.figure,
            (Problem(row.place.file, row.place.text, f"the same figure as {where}"),),
        )


def write_rejected(rows: Iterable[Row], path: Path) -> None:
    """Write rows that were set aside as CSV, each with what is wrong, ready to be mended and imported."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for row in rows:
            for problem in row.problems:
                writer.writerow([f"{REMARK} {problem}"])
        writer.writerow(COLUMNS)
        writer.writerows([row.cells.get(name, "") for name in COLUMNS] for row in rows)


def write_template(path: Path, *, chinese: bool) -> None:
    """Write an empty table with headings, remarked examples and the list of kinds."""
    headings = [COLUMNS[name] if chinese else name for name in COLUMNS]
    examples = [[f"{REMARK} {row[0]}", *row[1:]] for row in _EXAMPLES]
    if path.suffix.lower() == ".xlsx":
        _workbook(headings, examples).save(path)
    elif path.suffix.lower() == ".csv":
        kinds = [[f"{REMARK} {kind}", m.zh, m.en, m.unit] for kind, m in FIGURES.items()]
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([*kinds, headings, *examples])
    else:
        raise InvalidFileError([Problem(str(path), "", "a template is written as .csv or .xlsx")])


def _workbook(headings: Sequence[str], examples: Sequence[Sequence[str]]) -> Workbook:
    workbook = Workbook()
    sheet = workbook.create_sheet("figures", 0)
    sheet.append(list(headings))
    for example in examples:
        sheet.append(list(example))
    sheet.freeze_panes = "A2"
    kinds = workbook.create_sheet("kinds")
    kinds.append([f"{REMARK} kind", "指标", "English", "unit", "price_basis", "period"])
    for kind, meaning in FIGURES.items():
        kinds.append(
            [kind.value, meaning.zh, meaning.en, meaning.unit, "*" if meaning.priced else "",
             "year" if meaning.yearly else "month, quarter, year"]
        )  # fmt: skip
    del workbook["Sheet"]
    places = {name: chr(ord("A") + n) for n, name in enumerate(COLUMNS)}
    _offer(sheet, places["kind"], f"=kinds!$A$2:$A${len(FigureKind) + 1}")
    _offer(sheet, places["price_basis"], '"current,constant-2020,constant-2025"')
    _offer(sheet, places["is_estimated"], '"no,yes"')
    for letter in places.values():
        sheet.column_dimensions[letter].width = 18
    # A month is text: a spreadsheet would make a date of it.
    for row in range(2, 1002):
        sheet[f"{places['period']}{row}"].number_format = "@"
    return workbook


def _offer(sheet: Any, column: str, formula: str) -> None:
    """Offer a list of choices in a column; what was typed otherwise is checked at import."""
    choices = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=False)
    choices.add(f"{column}2:{column}1001")
    sheet.add_data_validation(choices)
