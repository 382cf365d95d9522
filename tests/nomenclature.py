"""Writes the generated tables of docs/nomenclature.md from the code: ``python -m tests.nomenclature``.

Text between the markers belongs to this program; everything around it is written by hand.
"""

import re
from pathlib import Path

from smartpark.measurands import CARRIER_WORDS, MEANINGS, Ratio

FILE = Path(__file__).resolve().parent.parent / "docs" / "nomenclature.md"


def tables():
    """Text of each generated part by its name."""
    return {"measurands": _measurands(), "carriers": _carriers()}


def _measurands():
    ratios = {Ratio.NONE: "", Ratio.CT: "CT", Ratio.PT: "PT", Ratio.CT_PT: "CT × PT"}
    rows = ["| 中文 | English | unit | kind | ratio | plausible | code name |", "|---|---|---|---|---|---|---|"]
    rows += [
        f"| {m.zh} | {m.en} | {m.unit} | {m.kind} | {ratios[m.ratio]} | {m.low:g} … {m.high:g} | `{name}` |"
        for name, m in MEANINGS.items()
    ]
    return "\n".join(rows)


def _carriers():
    rows = ["| 中文 | English | code name |", "|---|---|---|"]
    return "\n".join(rows + [f"| {zh} | {en} | `{name}` |" for name, (zh, en) in CARRIER_WORDS.items()])


def with_tables(text):
    """Return the document with its generated parts made anew."""
    for name, table in tables().items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, lambda m, table=table: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"{FILE}: the markers of {name} occur {found} times")
    return text


if __name__ == "__main__":
    FILE.write_text(with_tables(FILE.read_text(encoding="utf-8")), encoding="utf-8")
