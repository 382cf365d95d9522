"""Loads every `tests/fix_*.py` as a plugin: real servers and other fixtures, one file per kind.

Holds no fixture itself, so that two people adding fixtures never meet in this file.
"""

import gc
import os
from pathlib import Path

from hypothesis import settings

# What is loaded while tests are gathered stays until the end: nobody need look for garbage in it. To do so again and
# again was a quarter of what gathering takes, and each worker gathers all.
gc.disable()
pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))

# A slow machine is no failure. On the CI every run tries the same examples; elsewhere each run tries new ones.
settings.register_profile("house", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("house")


def pytest_collection_finish():
    gc.freeze()
    gc.enable()
