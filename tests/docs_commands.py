"""Commands that the documents tell people to type, taken out of their Markdown; nothing is run here.

A command stands in a fenced block of shell, in another block of text (fenced or indented) as a line that begins with
a program, or between backticks in a sentence or a table. Output, formulas and other languages are left alone.
"""

import itertools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELLS = ("sh", "bash", "shell", "console")
PROGRAMS = (
    *(
        "smartpark",
        "docker",
        "systemctl",
        "journalctl",
        "systemd-sysusers",
        "curl",
        "psql",
        "pg_dump",
        "pg_verifybackup",
    ),
    *("openssl", "mosquitto_sub", "uv", "npm", "pytest", "git", "df", "du", "timedatectl", "chronyc", "lint-imports"),
    *("ruff", "pyright", "cp", "rm", "install", "mkdir", "chmod", "tar", "gunzip", "sha256sum"),
)
"""Programs by which a line of text, or words between backticks, are known to be a command."""
_SETS = re.compile(r"(?:[A-Z][A-Z_0-9]*=(?:'[^']*'|\"[^\"]*\"|[^\s'\"]*)\s+)*")
_BEGINS = re.compile(rf"{_SETS.pattern}(?:(?:{'|'.join(PROGRAMS)})(?=\s)|scripts/[a-z-]+(?=\s|$)|\. \S+/env\b)")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command, where it stands, and whether it is there to be typed as it is."""

    document: str
    text: str
    is_mentioned: bool
    """Named in a sentence or a table, so perhaps without all that it needs."""


def documents() -> list[Path]:
    """Markdown that tells people to type something."""
    found = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("[a-z]*/README.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return sorted(path for path in found if path.parent.name != "adr")


def commands_of(path: Path) -> list[Command]:
    """All commands of a document, in their order."""
    name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    found: list[tuple[int, Command]] = []
    for begin, language, body in _blocks(text):
        is_shell = language in SHELLS
        if not is_shell and language:
            continue
        lines = complete_lines(body) if is_shell else _lines_that_begin(body)
        found += [(begin, Command(name, line, is_mentioned=False)) for line in lines]
    rest = _without_blocks(text)
    for span in re.finditer(r"(?<!`)`([^`]+)`(?!`)", rest):
        words = re.sub(r"\s+", " ", span[1]).strip().replace("\\|", "|")
        if _BEGINS.match(words):
            found.append((span.start(), Command(name, words, is_mentioned=True)))
    return [command for _, command in sorted(found, key=lambda pair: pair[0])]


def _blocks(text: str) -> Iterator[tuple[int, str, str]]:
    for fence in _FENCE.finditer(text):
        yield fence.start(), fence[2], fence[3]
    for block in _INDENTED.finditer(_blanked(text)):
        yield block.start(), "", textwrap.dedent(block[0])


_INDENTED = re.compile(r"(?:^ {4,}\S.*\n?)+", re.MULTILINE)


def _blanked(text: str) -> str:
    """The text with its fenced blocks made blank, so that places stay."""
    return _FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]).replace("    ", "   \t"), text)


def _without_blocks(text: str) -> str:
    return _INDENTED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), _blanked(text))


def complete_lines(body: str) -> Iterator[str]:
    """Commands of a piece of shell: lines that belong together as one, without remarks and empty lines."""
    held = ""
    for line in body.splitlines():
        held = f"{held}\n{line}" if held else line
        if _goes_on(held):
            continue
        command = _without_remark(held).strip()
        held = ""
        if command:
            yield command
    if held:
        raise ValueError(f"a command does not end: {held}")


def _lines_that_begin(body: str) -> Iterator[str]:
    """Commands among other text, such as what they print."""
    lines = body.splitlines()
    for number, line in enumerate(lines):
        if _BEGINS.match(line):
            more = itertools.takewhile(lambda later: not _BEGINS.match(later), lines[number + 1 :])
            held = line
            for later in more:
                if not _goes_on(held):
                    break
                held += f"\n{later}"
            yield from complete_lines(held)


def _goes_on(text: str) -> bool:
    """Whether more has to come: an open quote, a backslash at the end, a loop without its end."""
    bare = _without_remark(text)
    if bare.rstrip(" ").endswith("\\") or _quote_after(bare):
        return True
    return len(re.findall(r"^\s*for\b", bare, re.MULTILINE)) > len(re.findall(r"^\s*done\b", bare, re.MULTILINE))


def _quote_after(text: str) -> str:
    quote = ""
    previous = ""
    for sign in text:
        if quote:
            quote = "" if sign == quote and previous != "\\" else quote
        elif sign in "'\"" and previous != "\\":
            quote = sign
        previous = sign
    return quote


def _without_remark(text: str) -> str:
    """The text without what stands behind a # that begins a word, outside of quotes."""
    for place, sign in enumerate(text):
        if sign == "#" and (place == 0 or text[place - 1] in " \n") and not _quote_after(text[:place]):
            end = text.find("\n", place)
            return text[:place].rstrip(" ") + (text[end:] if end >= 0 else "")
    return text
