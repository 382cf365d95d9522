"""Business figures: what is understood, what is refused and in which words; tables in CSV and XLSX."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from pydantic import ValidationError
from smartpark.business_figures import (
    COLUMNS,
    FIGURES,
    SQUARE_METRES_PER_MU,
    BusinessFigure,
    FigureGrain,
    FigureKind,
    figure_problems,
    parse_period,
)
from smartpark.cli import main
from smartpark_ingest.figures.files import read_tables, write_rejected, write_template

GOOD = {
    "park": "hill",
    "entity": "enterprise/T1",
    "kind": "value_added",
    "period": "2026-05",
    "value": "1234.5",
    "price_basis": "current",
    "source_document": "monthly return B204-1",
    "entered_by": "Chen",
}
HEADER = "park,entity,kind,product,period,value,unit,price_basis,is_estimated,source_document,entered_by,note\n"


def problems_of(**changed: Any) -> dict[str, str]:
    document = GOOD | changed
    with pytest.raises(ValidationError) as refused:
        BusinessFigure.model_validate(document)
    found = figure_problems(refused.value, document, file="f.csv", row="row 7")
    assert all(problem.key.startswith("row 7, ") for problem in found)
    return {problem.key.removeprefix("row 7, "): problem.message for problem in found}


def table_of(tmp_path: Path, text: str, *, name: str = "f.csv", encoding: str = "utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_tables([path])


# --- one figure ---------------------------------------------------------------------------------------------------


def test_a_figure_takes_the_unit_of_its_kind():
    figure = BusinessFigure.model_validate(GOOD)
    assert (figure.value, figure.unit, figure.is_estimated) == (1234.5, "万元", False)
    assert figure.key == ("hill", "enterprise/T1", "value_added", "", "current", "2026-05")


def test_chinese_words_and_typed_values_are_the_same_figure():
    chinese = GOOD | {"kind": "工业增加值", "price_basis": "2025年不变价", "is_estimated": "是", "unit": "万元"}
    typed = GOOD | {"price_basis": "constant-2025", "is_estimated": True, "value": 1234.5}
    assert BusinessFigure.model_validate(chinese) == BusinessFigure.model_validate(typed)


@pytest.mark.parametrize(
    ("changed", "column", "message"),
    [
        ({"value": "1,234.5"}, "value", "is not a number"),
        ({"value": ""}, "value", "an empty cell is no figure"),
        ({"value": "nan"}, "value", "is not a number"),
        ({"value": float("nan")}, "value", "finite number"),
        ({"kind": "gdp"}, "kind", "is not a kind of figure; there are: output, value_added"),
        ({"period": "2026-13"}, "period", "is not a period"),
        ({"period": "05/2026"}, "period", "is not a period"),
        ({"entity": "T1"}, "entity", "write park, sub_park/CODE or enterprise/CODE"),
        ({"unit": "亿元"}, "unit", "entered in 万元, not in 亿元: convert the value"),
        ({"price_basis": ""}, "price_basis", "value_added needs current or constant-YEAR"),
        ({"price_basis": "constant"}, "price_basis", "is not a price basis"),
        ({"kind": "tax", "price_basis": "current"}, "price_basis", "tax has none"),
        ({"is_estimated": "maybe"}, "is_estimated", "neither yes"),
        ({"source_document": " "}, "source_document", "required, and not there"),
        ({"product": "steel"}, "product", "value_added is of no product"),
        ({"kind": "output", "value": "-1"}, "value", "output cannot be negative"),
        ({"kind": "carbon_budget_t", "price_basis": ""}, "period", "is for a whole year"),
        ({"kind": "product_output", "price_basis": "", "product": "steel"}, "unit", "a product needs its unit"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_column(changed: dict[str, Any], column: str, message: str):
    assert message in problems_of(**changed)[column]


def test_every_problem_of_a_row_is_told_at_once():
    assert set(problems_of(value="x", period="y", source_document="")) == {"value", "period", "source_document"}
    assert set(problems_of(unit="t", price_basis="", product="p")) == {"unit", "price_basis", "product"}


def test_a_refund_of_tax_and_a_withdrawal_are_figures():
    tax = GOOD | {"kind": "tax", "price_basis": "", "value": "-3.5"}
    assert BusinessFigure.model_validate(tax).value == -3.5
    assert BusinessFigure.model_validate(tax | {"value": "撤销"}).value is None


@given(year=st.integers(2000, 2099), month=st.integers(1, 12))
def test_a_period_is_read_as_it_is_written_and_knows_its_months(year: int, month: int):
    for text in (f"{year}-{month:02}", f"{year}Q{(month + 2) // 3}", f"{year}"):
        period = parse_period(text)
        assert str(period) == text
        assert date(year, month, 1) in period.months
        assert period.months[0] == period.first
        assert (
            len(period.months) == {FigureGrain.MONTH: 1, FigureGrain.QUARTER: 3, FigureGrain.YEAR: 12}[period.grain]
        )


def test_every_kind_has_names_and_a_unit_and_no_name_twice():
    assert set(FIGURES) == set(FigureKind)
    assert len({meaning.zh for meaning in FIGURES.values()}) == len(FIGURES)
    assert [kind for kind, meaning in FIGURES.items() if not meaning.unit] == [FigureKind.PRODUCT_OUTPUT]


def test_a_mu_is_as_large_as_it_is():
    assert pytest.approx(666.67, abs=0.005) == SQUARE_METRES_PER_MU


# --- tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_in_either_encoding_is_read_with_chinese_headings(tmp_path: Path, encoding: str):
    text = (
        "# 园区填报\n园区,主体,指标,期间,数值,单位,价格口径,来源文件,填报人\n"
        "\nhill,park,工业增加值,2026Q1,8500,万元,现价,统计月报,陈\n"
    )
    table = table_of(tmp_path, text, encoding=encoding)
    assert table.all_problems == []
    (figure,) = table.figures
    assert (figure.kind, figure.value, figure.source_document) == (FigureKind.VALUE_ADDED, 8500.0, "统计月报")
    assert table.rows[0].place.row == 4


def test_every_wrong_row_is_named_and_the_right_ones_are_still_figures(tmp_path: Path):
    table = table_of(
        tmp_path,
        HEADER + "hill,park,tax,,2026-05,12,,,no,book,Chen,\n"
        "hill,park,tax,,2026-06,x,,,no,book,Chen,\n"
        "hill,park,tax,,2026-07,1,,,no,,,\n"
        "hill,park,tax,,2026-08,1,,,no,book,Chen,,too,many\n",
    )
    assert [str(p).removeprefix(str(tmp_path)) for p in table.all_problems] == [
        f"/f.csv: row 3, value: {problems_of(value='x')['value']}",
        "/f.csv: row 4, source_document: required, and not there",
        "/f.csv: row 4, entered_by: required, and not there",
        "/f.csv: row 5: has more cells than there are headings: too, many",
    ]
    assert [figure.period for figure in table.figures] == ["2026-05"]


def test_the_same_figure_twice_is_a_problem_of_both_rows_even_across_files(tmp_path: Path):
    row = "hill,park,tax,,2026-05,12,,,no,book,Chen,\n"
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_text(HEADER + row, encoding="utf-8")
    other.write_text(HEADER + row.replace("12", "13"), encoding="utf-8")
    table = read_tables([one, other])
    assert table.figures == []
    assert [problem.message for problem in table.all_problems] == [
        f"the same figure as {other} row 2",
        f"the same figure as {one} row 2",
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("f.csv", b"park,kind,when\n", "unknown column 'when'"),
        ("f.csv", b"park,kind,period,value\n", "the column source_document"),
        ("f.csv", b"park,park,kind,period,value,source_document\n", "the column park occurs 2 times"),
        ("f.csv", b"", "holds no table"),
        ("f.csv", b"\xff\xff\xff", "neither in UTF-8 nor in GB18030"),
        ("f.xlsx", b"park,kind", "is not a workbook"),
        ("f.xls", b"", "figures come as .csv or .xlsx"),
        ("absent.csv", None, "no such file"),
        ("absent.xlsx", None, "no such file"),
    ],
)
def test_a_file_that_is_no_table_of_figures_is_refused(tmp_path: Path, name: str, data: bytes | None, message: str):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    table = read_tables([path])
    assert any(message in str(problem) for problem in table.all_problems)
    assert all(problem.file == str(path) for problem in table.all_problems)


def test_a_workbook_names_sheet_and_row_and_its_dates_are_months(tmp_path: Path):
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "五月"
    sheet.append(list(COLUMNS))
    cells = {"park": "hill", "kind": "tax", "value": 12.5, "source_document": "book", "entered_by": "Chen"}
    for period in (datetime(2026, 5, 1, tzinfo=UTC).replace(tzinfo=None), 2026, "2026Q9"):
        sheet.append([cells.get(name) if name != "period" else period for name in COLUMNS])
    remarks = workbook.create_sheet("notes")
    remarks.append(["# whatever"])
    path = tmp_path / "f.xlsx"
    workbook.save(path)
    table = read_tables([path])
    assert [(figure.period, figure.value) for figure in table.figures] == [("2026-05", 12.5), ("2026", 12.5)]
    assert [problem.key for problem in table.all_problems] == ["sheet '五月' row 4, period"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_is_an_empty_table_whose_examples_are_right(tmp_path: Path, ending: str, lang: str):
    path = tmp_path / f"template.{ending}"
    write_template(path, chinese=lang == "zh")
    empty = read_tables([path])
    assert (empty.rows, empty.problems) == ([], [])
    if ending == "xlsx":
        workbook = load_workbook(path)
        for row in range(2, 6):
            cell = workbook["figures"][f"A{row}"]
            cell.value = cell.value.removeprefix("# ")
        workbook.save(path)
    else:
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(text.replace("# park-code", "park-code"), encoding="utf-8")
    filled = read_tables([path])
    assert filled.all_problems == []
    assert len(filled.figures) == 4


def test_rows_set_aside_can_be_mended_and_read_again(tmp_path: Path):
    table = table_of(tmp_path, HEADER + "hill,park,tax,,2026-06,x,,,no,book,Chen,\n")
    aside = tmp_path / "aside.csv"
    write_rejected(table.wrong_rows, aside)
    assert "row 2, value" in aside.read_text(encoding="utf-8-sig").splitlines()[0]
    aside.write_text(aside.read_text(encoding="utf-8-sig").replace(",x,", ",7,"), encoding="utf-8")
    assert [figure.value for figure in read_tables([aside]).figures] == [7.0]


# --- the command --------------------------------------------------------------------------------------------------


def test_checking_tells_every_problem_and_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "f.csv"
    path.write_text(HEADER + "hill,park,tax,,2026-05,12,,,no,book,,\n", encoding="utf-8")
    assert main(["figures", "check", str(path)]) == 2
    assert f"{path}: row 2, entered_by: required" in capsys.readouterr().err
    assert main(["figures", "check", str(path), "--by", "Chen"]) == 0
    assert "1 figures, all in order" in capsys.readouterr().out


def test_a_template_cannot_have_any_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["figures", "template", "--out", str(tmp_path / "f.txt")]) == 2
    assert "a template is written as .csv or .xlsx" in capsys.readouterr().err
