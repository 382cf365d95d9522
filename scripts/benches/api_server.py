"""A real `smartpark api serve` for a bench: over its database, on a free port, gone when the bench is done."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from smartpark.cli import command_line
from smartpark_simulators.ports import free_port

_PATIENCE_S: Final = 120.0


@contextmanager
def api_server(dsn: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Address of a server over the database; `folder` keeps its log and its key."""
    port = free_port()
    own = {"SMARTPARK_DSN": dsn, "SMARTPARK_CONSOLE_KEY_FILE": str(folder / "console.key")}
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            command_line("api", "serve", "--port", str(port)),
            stdout=log,
            stderr=log,
            env={**os.environ, **own, **(environment or {})},
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_ready(process, address, folder / "api.log")
        yield address
    finally:
        process.terminate()
        process.wait()


def _wait_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            if httpx.get(f"{address}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"scripts/bench: the API does not answer\n{log.read_text(errors='replace')}")
