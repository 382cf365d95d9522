"""What a bench ran on."""

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory and the versions that matter."""
    return {
        "machine": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "numpy": np.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
