"""The closed list of published indicators."""

from pathlib import Path

import pytest
from smartpark.indicators import INDICATORS, meaning_of

METHODS = Path(__file__).parents[2] / "docs" / "methods"


@pytest.mark.parametrize("code", INDICATORS)
def test_every_indicator_has_its_method_page_and_two_names(code):
    meaning = INDICATORS[code]
    assert (METHODS / f"{meaning.method_page}.md").is_file(), f"docs/methods/{meaning.method_page}.md is not there"
    assert meaning.zh, "Chinese name"
    assert meaning.en, "English name"
    assert meaning.unit, "unit; 1 for a number without one"


def test_an_unknown_indicator_is_told_with_those_that_exist():
    with pytest.raises(KeyError, match="carbon_location"):
        meaning_of("carbon_locaton")
