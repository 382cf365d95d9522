"""What docs/troubleshooting.md says that the platform says, the platform says: each message stands in the code."""

import re

from docs_commands import ROOT

PAGE = re.sub(
    r"^```.*?^```", "", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
)
ROOMS = ("core", "edge", "ingest", "storage", "api")
CODE = "\n".join(
    path.read_text(encoding="utf-8") for room in ROOMS for path in sorted((ROOT / room).glob("smartpark*/**/*.py"))
)
# Words over two lines of code are one sentence; what is filled in is a gap, as in the page.
SAID = re.sub(r"\{[^{}\n]*\}|%(\.\d)?[sdrf]", "…", re.sub(r"\"\s*\n\s*[rf]*\"", "", CODE))


def messages():
    """Sentences between backticks: with blanks, and no commands, names of files or variables."""
    for span in re.findall(r"`([^`]+)`", PAGE):
        is_command = re.match(r"(docker|smartpark|scripts/|systemctl|journalctl|openssl|chmod|df) ?", span)
        if " " in span and not is_command and not re.fullmatch(r"[\d / ]+", span):
            yield span


def test_every_message_of_the_page_stands_in_the_code():
    found = list(messages())
    assert len(found) > 40
    missing = [
        message
        for message in found
        if not all(piece.strip() in SAID for piece in message.split("…") if len(piece.strip()) > 3)
    ]
    assert missing == []
