"""The files and words that come with the pages are whole and what they say they are."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
import smartpark_api
from smartpark.catalogue import Role
from smartpark.factors import Reason
from smartpark.measurands import Measurand
from smartpark_api.assets import assets
from smartpark_api.display import measurand_name
from smartpark_api.models.base import Missing
from smartpark_api.models.now import Freshness
from smartpark_api.models.operations import AgentState
from smartpark_api.words import Language, MissingWordError, words_of
from smartpark_storage import DeadReason

HERE = Path(smartpark_api.__file__).parent
VENDOR = HERE / "static" / "vendor"


@pytest.mark.parametrize("library", ["htmx", "uplot"])
def test_vendored_files_are_unchanged(library):
    sums = (VENDOR / library / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split() for line in sums)}

    found = {path.name for path in (VENDOR / library).iterdir()} - {"SHA256SUMS"}
    assert "LICENSE" in found
    assert listed.keys() == found
    for name, digest in listed.items():
        assert sha256((VENDOR / library / name).read_bytes()).hexdigest() == digest


def test_every_vendored_folder_is_in_the_notice():
    notice = (VENDOR / "NOTICE").read_text()
    for folder in VENDOR.iterdir():
        if folder.is_dir():
            assert f"{folder.name}/" in notice


def test_only_files_for_browsers_are_served():
    assert {path.rpartition(".")[2] for path in assets()} == {"css", "js", "svg"}


@pytest.mark.parametrize("language", Language)
def test_every_word_that_is_looked_up_by_name_is_there(language):
    words = words_of(language)
    for table, names in {
        "missing": Missing,
        "role": Role,
        "fresh": Freshness,
        "agents": AgentState,
        "reason": DeadReason,
        "chosen": Reason,
    }.items():
        for name in names:
            assert words.entries[f"{table}.{name}"]
    for measurand in Measurand:
        assert measurand_name(measurand, words)


@pytest.mark.parametrize("language", Language)
def test_every_word_that_a_template_asks_for_is_there_and_every_word_is_asked_for(language):
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "templates").rglob("*.html"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in HERE.rglob("*.py"))
    asked = set(re.findall(r"""(?:\bt|words)\(['"]([a-z_-]+\.[a-z_-]+)['"][,)]""", templates + code))
    named = set(re.findall(r'''"([a-z_-]+\.[a-z_-]+)"''', code))
    families = {
        "problem.",
        "age.",
        "span.",
        "chosen.",
        *re.findall(r"""['"]([a-z_]+\.(?:[a-z]+_)?)['"] ~""", templates),
        *re.findall(r"""f"([a-z_]+\.(?:[a-z]+_)?){""", code),
    }

    entries = words_of(language).entries
    assert asked <= entries.keys()
    known = asked | named
    unused = {key for key in entries if key not in known and not any(key.startswith(family) for family in families)}
    assert unused == set()


def test_a_missing_word_is_an_error_that_names_it():
    with pytest.raises(MissingWordError, match=r"nothing\.here"):
        words_of(Language.ZH)("nothing.here")
