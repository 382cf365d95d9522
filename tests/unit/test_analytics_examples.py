"""The examples in the docstrings of analytics say what is true."""

import doctest
import importlib
import pkgutil

import pytest
import smartpark_analytics

MODULES = [
    module.name for module in pkgutil.walk_packages(smartpark_analytics.__path__, f"{smartpark_analytics.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_to_hold():
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 4
