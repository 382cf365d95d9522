"""Commands of this room, below `smartpark`."""

import argparse

from smartpark.cli import Subparsers


def register(subparsers: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add this room's commands."""
