"""docs/aggregates.md says what the code does: its tables are the code's, its examples run, its recipe verifies."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fix_provider import load_park, two_months
from smartpark.access import Grant, Role
from smartpark.aggregates import CANONICAL, EXAMPLE_ROW, FIELDS, canonical_line, digest_of
from smartpark_api.aggregates.formats import Form
from smartpark_api.aggregates.query import MOST_ROWS, PullQuery
from smartpark_api.aggregates.sealing import GapKind
from smartpark_api.problems import ProblemKind

TEXT = (Path(__file__).parents[2] / "docs" / "aggregates.md").read_text(encoding="utf-8")
PARK = "minhou-demo"
TOOLS = ("bash", "curl", "jq", "openssl", "sha256sum")


def section(title):
    """Text under a heading, up to the next one of its kind."""
    return re.split(r"^## ", TEXT.split(f"## {title}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def cells(title):
    """Cells of the lines of the table in a section, without its head."""
    rows = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def test_the_table_of_fields_is_that_of_the_code():
    said = [
        [
            f"`{one.name}`",
            one.type.value + (", or null" if one.is_nullable else ""),
            {"": "", "unit": "`unit`"}.get(one.unit, one.unit),
            "✓" if one.name in CANONICAL else "",
            one.en,
            one.zh,
        ]
        for one in FIELDS
    ]
    assert [[cell.strip() for cell in re.split(r" ?\| ?", row)] for row in table("Fields 字段")] == said


def table(title):
    return [line[2:-2] for line in section(title).splitlines() if line.startswith("| `")]


def test_forms_parameters_gaps_and_problems_are_those_of_the_code():
    forms = [row[0].strip("`") for row in cells("Forms 格式")]
    assert forms[: len(Form)] == [form.value for form in Form]
    names = {name.strip("`") for row in cells("Addresses") for name in row[0].split(", ")}
    aliases = {one.alias or name for name, one in PullQuery.model_fields.items()}
    assert aliases <= names
    assert f"1 to {MOST_ROWS:,}" in section("Addresses")
    assert [row[0].strip("`") for row in cells("Submissions 上报")] == [kind.value for kind in GapKind]
    kinds = {kind.slug: kind.status for kind in ProblemKind}
    said = {row[0].strip("`"): int(row[1]) for row in cells("The cursor 游标") if row[1].isdigit()}
    assert said == {slug: status for slug, status in kinds.items() if "cursor" in slug}


def test_the_canonical_line_and_its_digest_are_as_told():
    assert blocks("text") == [canonical_line(EXAMPLE_ROW).decode() + "\n"]
    assert f"`{digest_of([canonical_line(EXAMPLE_ROW)])}`" in TEXT
    listed = re.search(r"FIELDS = \((.*?)\)\.split", TEXT, re.DOTALL).group(1)
    assert "".join(re.findall(r'"(.*?)"', listed)).split() == list(CANONICAL)


@pytest.fixture
def examples(provider, tmp_path):
    """Where the examples run: a server with the park they speak of, its address and keys."""
    load_park(provider.dsn, provider.folder, PARK, "350121", 99)
    provider.publish(*two_months(PARK))
    provider.add("puller", Grant(Role.PROVINCE, PARK))
    provider.add("runner", Grant(Role.OPERATOR, PARK))
    return {
        "cwd": tmp_path,
        "env": os.environ
        | {
            "API": f"{provider.address}/api/v1",
            "KEY": provider.keys["puller"],
            "OPERATOR_KEY": provider.keys["runner"],
            "SMARTPARK_DSN": provider.dsn,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        "capture_output": True,
        "text": True,
    }


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"the examples need {', '.join(TOOLS)} on this machine"
)
def test_the_examples_run(examples):
    puller = subprocess.run([sys.executable, "-c", "\n".join(blocks("python"))], check=False, **examples)
    assert puller.returncode == 0, puller.stderr
    assert puller.stdout.splitlines() == ["41 numbers", "the same numbers"]

    done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks("sh"))], check=False, **examples)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert "rows are those of the manifest" in done.stdout
    assert f"holds: {PARK}/2026-10/1, 5 rows, sealed by chen" in done.stdout
    assert (examples["cwd"] / "months.csv").read_text().count("\n") == 11
    assert (examples["cwd"] / "all.parquet").stat().st_size > 0

    # The same recipe says no where a digit was changed.
    rows = examples["cwd"] / "rows"
    rows.write_bytes(rows.read_bytes().replace(b"910.0", b"910.1"))
    recipe = 'test "$(sha256sum < rows | cut -d " " -f 1)" = "$(jq -r .digest manifest)"'
    assert subprocess.run(["bash", "-c", recipe], check=False, **examples).returncode == 1
    manifest = examples["cwd"] / "manifest"
    manifest.write_bytes(manifest.read_bytes().replace(b"chen", b"lin!"))
    verify = next(line for line in "\n".join(blocks("sh")).splitlines() if line.startswith("openssl pkeyutl"))
    refused = subprocess.run(["bash", "-c", verify], check=False, **examples)
    assert refused.returncode != 0
    assert "Failure" in refused.stdout + refused.stderr
