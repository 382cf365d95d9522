"""Arrow at this room's border: its kernels are made at run time, so a type checker cannot know them."""

from typing import Any

import pyarrow as _pyarrow
from pyarrow import compute as _compute

pa: Any = _pyarrow
pc: Any = _compute
