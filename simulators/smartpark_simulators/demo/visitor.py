"""What a visitor of the demo sees: whether its page answers, and what it says. It starts nothing."""

import json
import os
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def ask_page(address: str) -> Any:
    """What stands at an address, as JSON; None while nothing does."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  ours
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def mentions_value(found: Any) -> bool:
    """Whether a park's latest readings hold one that has a value."""
    return any(row.get("value") is not None for row in found.get("latest", []))


def has_desktop() -> bool:
    """Whether there is a screen on which a browser could open."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def table(found: dict[str, Any]) -> str:
    """A report for whoever reads it in a terminal."""
    return "".join(f"{name:>24}  {value}\n" for name, value in found.items())


def shown(file: Path) -> str:
    """A path as short as it can be for whoever stands here; with a slash, so that the shell's dot finds it."""
    try:
        return f"./{file.resolve().relative_to(Path.cwd())}"
    except ValueError:
        return str(file)
