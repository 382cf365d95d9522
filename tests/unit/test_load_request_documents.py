"""Documents and tables of load requests: what is not believed of a file, and cells that are never formulae."""

import csv
import io
import zipfile
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smartpark_api.load_requests.attachments import (
    AttachmentMissingError,
    AttachmentRefusedError,
    AttachmentStore,
    AttachmentTooLargeError,
    clean_name,
    download_headers,
)
from smartpark_api.load_requests.exports import harmless

PDF = b"%PDF-1.7\n%%EOF\n"


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        ".pdf",
        "noending",
        "../x.pdf",
        "a/b.pdf",
        "a\\b.pdf",
        "C:x.pdf",
        "a\x00b.pdf",
        "a\nb.pdf",
        "invoice\u202efdp.exe",
        "a\u200b.pdf",
        "con.pdf",
        "LPT1.txt",
        "x.pdf.exe",
        "x.svg",
        "x" * 120 + ".pdf",
    ],
)
def test_a_name_that_is_more_than_a_name_is_refused(name):
    with pytest.raises(AttachmentRefusedError):
        clean_name(name)


def test_spaces_of_other_widths_become_spaces():
    assert clean_name("供电方案\xa0答复单\u3000二\u202f.pdf") == "供电方案 答复单 二.pdf"


@example("0\xa00")
@given(st.text(max_size=130))
def test_a_name_that_is_taken_is_a_name_and_nothing_else(text):
    try:
        name = clean_name(text + ".pdf")
    except AttachmentRefusedError:
        return
    assert not set(name) & set("/\\:\r\n\0")
    assert name.isprintable()
    assert not name.startswith(".")
    assert clean_name(name) == name
    header = download_headers(name, size=None, digest=None)["Content-Disposition"]
    assert header.isascii()
    assert header.count('"') == 2


def test_what_came_is_what_is_given_back(tmp_path):
    store = AttachmentStore(tmp_path)
    with store.keeping("方案.pdf", [PDF[:3], PDF[3:]]) as kept:
        pass
    assert b"".join(store.read(kept.attachment)) == PDF
    assert (kept.size_bytes, kept.sha256) == (len(PDF), sha256(PDF).hexdigest())
    [path] = files_in(tmp_path)
    assert path.stat().st_mode & 0o077 == 0, "nobody else of the machine reads it"
    assert path.name == kept.attachment, "the name it came with names no file"


def test_a_file_whose_transaction_fails_is_gone(tmp_path):
    with pytest.raises(RuntimeError), AttachmentStore(tmp_path).keeping("a.pdf", [PDF]):
        raise RuntimeError
    assert files_in(tmp_path) == []


def test_a_large_document_is_refused_before_all_of_it_has_come(tmp_path):
    taken = []

    def endless():
        yield PDF
        while True:
            taken.append(1)
            yield bytes(1024)

    with (
        pytest.raises(AttachmentTooLargeError),
        AttachmentStore(tmp_path, most_bytes=10_000).keeping("a.pdf", endless()),
    ):
        pass
    assert len(taken) == 10
    assert files_in(tmp_path) == []


def archive(*names):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as written:
        for name in names:
            written.writestr(name, "<x/>")
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"MZ\x90\x00"),
        ("a.pdf", b"%PD"),
        ("a.png", b"GIF89a"),
        ("a.txt", b"a\x00b"),
        ("a.csv", b"\xff\xfe\xff"),
        ("a.docx", archive("xl/workbook.xml")),
        ("a.docx", archive("word/document.xml", "word/vbaProject.bin")),
        ("a.xlsx", b"PK\x03\x04 and nothing more"),
    ],
)
def test_content_that_is_not_what_the_ending_says_is_refused(tmp_path, name, content):
    with pytest.raises(AttachmentRefusedError), AttachmentStore(tmp_path).keeping(name, [content]):
        pass
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "说明".encode()),
        ("a.csv", "户号,容量\n1,2\n".encode("gb18030")),
        ("a.docx", archive("[Content_Types].xml", "word/document.xml")),
        ("a.dwg", b"AC1032" + bytes(10)),
        ("a.jpeg", b"\xff\xd8\xff\xe0"),
    ],
)
@pytest.mark.parametrize("size", [1, 4096])
def test_content_is_judged_however_it_is_cut(tmp_path, name, content, size):
    pieces = [content[n : n + size] for n in range(0, len(content), size)]
    with AttachmentStore(tmp_path).keeping(name, pieces) as kept:
        assert kept.size_bytes == len(content)


@pytest.mark.parametrize("attachment", ["", "../../etc/passwd", "f" * 31, "F" * 32, "f" * 32])
def test_only_ids_lead_to_files(tmp_path, attachment):
    with pytest.raises(AttachmentMissingError):
        AttachmentStore(tmp_path).read(attachment)


@given(st.text(max_size=50))
def test_no_cell_of_text_begins_a_formula(text):
    cell = harmless(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    held = io.StringIO()
    csv.writer(held).writerow([cell])
    assert cell in (text, f"'{text}")
