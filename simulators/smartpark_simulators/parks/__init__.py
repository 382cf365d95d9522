"""Parks that come with the simulators."""

from pathlib import Path

DEMO_PARK = Path(__file__).parent / "minhou-demo.toml"
"""The demonstration park's catalogue."""
