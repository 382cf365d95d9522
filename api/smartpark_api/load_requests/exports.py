"""Lists of load requests as tables: CSV with a byte order mark for spreadsheets, and XLSX.

Text that somebody typed is never a formula: a cell of CSV that would begin one gets an apostrophe before it, a cell
of XLSX is marked as text. Headings and words of closed lists come in the asker's language; what is not known is an
empty cell, never a zero.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.words import (
    WORDS,
    Channel,
    Importance,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)

from smartpark_api.load_requests.service import Card
from smartpark_api.words import Language

CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STARTS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_XML: Final = "\ufffe\uffff"
"""One of them, and no program opens the workbook any more."""
_MOST_CELL: Final = 32_767
"""Characters that a cell of a workbook may hold."""

Value = str | float | int | date | StrEnum | None


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of the table."""

    zh: str
    en: str
    value: Callable[[Card], Value]
    width: int = 14


def _of(kind: type[StrEnum], name: str) -> Callable[[Card], Value]:
    """Member of a closed list, shown in words."""

    def value(card: Card) -> Value:
        given = getattr(card.row, name)
        return None if given is None else kind(given)

    return value


def _day(name: str) -> Callable[[Card], Value]:
    """Day of an instant in the park's zone."""

    def value(card: Card) -> Value:
        at: datetime | None = getattr(card.row, name)
        return None if at is None else at.astimezone(PARK_ZONE).date()

    return value


COLUMNS: Final = (
    TableColumn("编号", "code", lambda card: card.row.code, 17),
    TableColumn("园区", "park", lambda card: card.row.park),
    TableColumn("申请单位", "applicant", lambda card: card.row.applicant, 28),
    TableColumn("企业代码", "enterprise", lambda card: card.row.enterprise),
    TableColumn("用户编号", "customer no.", lambda card: card.row.customer_no),
    TableColumn("业务类型", "kind", _of(RequestKind, "kind")),
    TableColumn("申请容量 kVA", "applied kVA", lambda card: card.row.applied_kva),
    TableColumn("原有容量 kVA", "existing kVA", lambda card: card.row.existing_kva),
    TableColumn("批复容量 kVA", "approved kVA", lambda card: card.row.approved_kva),
    TableColumn("电压等级", "voltage", _of(VoltageClass, "voltage")),
    TableColumn("电源", "supply", _of(Supply, "supply")),
    TableColumn("用户类别", "user kind", _of(UserKind, "user_kind")),
    TableColumn("重要性", "importance", _of(Importance, "importance")),
    TableColumn("通道", "channel", _of(Channel, "channel")),
    TableColumn("来源", "source", _of(RequestSource, "source")),
    TableColumn("概率", "probability", lambda card: card.row.probability),
    TableColumn("接入点", "node", lambda card: card.row.scheme_node or card.row.node, 18),
    TableColumn("期望用电日", "wanted on", lambda card: card.row.wanted_on),
    TableColumn("环节", "stage", _of(Stage, "stage")),
    TableColumn("责任方", "owner", _of(Owner, "owner")),
    TableColumn("暂停原因", "suspended", _of(SuspendReason, "suspended")),
    TableColumn("结果", "outcome", _of(Outcome, "outcome")),
    TableColumn("项目经理", "manager", lambda card: card.row.manager),
    TableColumn("时限状态", "standing", lambda card: card.standing),
    TableColumn("环节剩余工作日", "working days left", lambda card: card.left),
    TableColumn("环节到期日", "due on", lambda card: card.row.stage_due_on),
    TableColumn("环节时限", "stage limit", lambda card: card.row.stage_limit),
    TableColumn("供电企业累计工作日", "utility's working days", lambda card: card.row.total_used),
    TableColumn("总时限", "total limit", lambda card: card.row.total_limit),
    TableColumn("返工次数", "reworks", lambda card: card.row.reworks),
    TableColumn("建单日", "opened", _day("opened_at")),
    TableColumn("受理日", "accepted", _day("accepted_at")),
    TableColumn("送电日", "energized", _day("energized_at")),
    TableColumn("办结日", "ended", _day("ended_at")),
    TableColumn("版本", "version", lambda card: card.row.version),
)


def table_of_csv(cards: Iterable[Card], language: Language) -> Iterator[str]:
    """Rows of a CSV file, the first with the byte order mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _line([_heading(column, language) for column in COLUMNS])
    for card in cards:
        yield _line([_text(_word(column.value(card), language)) for column in COLUMNS])


def table_of_xlsx(cards: Iterable[Card], language: Language) -> bytes:
    """A workbook with one sheet."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("业扩报装" if language is Language.ZH else "load requests")
    sheet.freeze_panes = "B2"
    for n, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(n)].width = column.width
    sheet.append([_heading(column, language) for column in COLUMNS])
    for card in cards:
        sheet.append([_cell(sheet, _word(column.value(card), language)) for column in COLUMNS])
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}1"
    held = io.BytesIO()
    workbook.save(held)
    return held.getvalue()


def harmless(text: str) -> str:
    r"""Text that a spreadsheet does not take for a formula.

    Examples
    --------
    >>> harmless('=HYPERLINK("http://x")'), harmless("铝业 =1"), harmless("  @SUM(A1)")
    ('\'=HYPERLINK("http://x")', '铝业 =1', "'  @SUM(A1)")
    """
    is_formula = text.startswith(_STARTS_FORMULA) or text.lstrip().startswith(_STARTS_FORMULA)
    return f"'{text}" if is_formula else text


def _heading(column: TableColumn, language: Language) -> str:
    return column.zh if language is Language.ZH else column.en


def _word(value: Value, language: Language) -> Value:
    if isinstance(value, StrEnum):
        zh, en = WORDS[value]
        return zh if language is Language.ZH else en
    return value


def _text(value: Value) -> str:
    """Cell of CSV. Numbers are ours and stay numbers, also negative ones; text is somebody's."""
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _cell(sheet: Any, value: Value) -> object:
    if not isinstance(value, str):
        return value
    shown = "".join(sign for sign in value if unicodedata.category(sign) != "Cc" and sign not in _NOT_XML)
    cell = WriteOnlyCell(sheet, value=shown[:_MOST_CELL])
    # Else a text that begins with = would be stored as a formula.
    cell.data_type = "s"
    return cell


def _line(cells: Iterable[str]) -> str:
    held = io.StringIO()
    csv.writer(held).writerow(list(cells))
    return held.getvalue()
