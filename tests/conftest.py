"""Loads every `tests/fix_*.py` as a plugin: real servers and other fixtures, one file per kind.

Holds no fixture itself, so that two people adding fixtures never meet in this file.
"""

from pathlib import Path

import pytest

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

# Before any is imported: fixtures may use each other's modules, whose assertions would then stay plain.
pytest.register_assert_rewrite(*pytest_plugins)
