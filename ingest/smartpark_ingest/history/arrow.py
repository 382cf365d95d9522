"""Arrow at this room's border: its kernels are made at run time, so a type checker cannot know them."""

from importlib import import_module
from typing import Any

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
