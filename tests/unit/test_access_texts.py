"""What keys look like: their form, and that a mistyped one is told from a wrong one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark_storage.access import PATTERN, SecretKind, digest_of, parse_text
from smartpark_storage.access.texts import PREFIXES, make_text

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("kind", SecretKind)
def test_a_secret_tells_its_kind_and_its_id_and_scanners_find_it(kind: SecretKind):
    secret_id, text = make_text(kind)
    assert re.fullmatch(PATTERN, text)
    assert re.search(PATTERN, f'key = "{text}"  # oops')
    assert text.startswith(f"{PREFIXES[kind]}_{secret_id}_")
    shown = parse_text(text)
    assert shown is not None
    assert (shown.kind, shown.secret_id, shown.digest) == (kind, secret_id, digest_of(text))
    assert text.rsplit("_", 1)[1] not in repr(shown)


def test_no_two_secrets_are_alike():
    texts = [make_text(SecretKind.API_KEY) for _ in range(200)]
    assert len({text for _, text in texts}) == len({secret_id for secret_id, _ in texts}) == 200


@given(place=st.integers(17, 59), letter=st.sampled_from(LETTERS))
def test_one_wrong_letter_is_always_noticed(place: int, letter: str):
    text = make_text(SecretKind.API_KEY)[1]
    changed = text[:place] + letter + text[place + 1 :]
    assert (parse_text(changed) is None) == (changed != text)


@given(place=st.integers(17, 58))
def test_two_letters_that_changed_places_are_always_noticed(place: int):
    text = make_text(SecretKind.CLIENT_SECRET)[1]
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (parse_text(swapped) is None) == (swapped != text)


@given(st.text())
def test_whatever_somebody_sends_is_no_secret(text: str):
    assert parse_text(text) is None


def test_what_stands_around_a_secret_does_not_belong_to_it():
    text = make_text(SecretKind.API_KEY)[1]
    for wrong in (f" {text}", f"{text}\n", text.upper(), text[:-1], f"{text}0", text.replace("spk", "spx")):
        assert parse_text(wrong) is None
