"""Keeps the embedded server running: whatever killed it, it comes back. It stops nothing and deletes nothing.

What keeps a server from starting (a full disk, say) is told once and tried again. The server outlives its watcher.
"""

import logging
import threading
from pathlib import Path
from typing import Final

from smartpark_storage import embedded
from smartpark_storage.embedded_account import EmbeddedServerError
from smartpark_storage.errors import StorageUnavailableError

_log = logging.getLogger(__name__)

_LOOK_S: Final = 0.5


def watch(data: Path, stopping: threading.Event) -> None:
    """Start the server of a folder, and start it again whenever it has died, until asked to stop watching."""
    server, told = embedded.start(data), ""
    _log.info("watching the database in %s", server.data)
    while not stopping.wait(_LOOK_S):
        if embedded.is_running(server):
            continue
        try:
            embedded.start(data)
        except (EmbeddedServerError, StorageUnavailableError) as error:
            if str(error) != told:
                _log.error("the database in %s died and does not start: %s", server.data, error)
            told = str(error)
        else:
            told = ""
            _log.warning("the database in %s died; started again", server.data)
