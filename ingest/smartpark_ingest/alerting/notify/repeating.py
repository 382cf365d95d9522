"""Telling each Alertmanager again and again what fires: it forgets what it does not hear of.

What it heard first is repeated, with an end that lies ahead of now. That goes past the outbox: a repetition that
fails is made good by the next one, a minute later.
"""

import logging
from datetime import datetime
from typing import Final

from smartpark.alerts.routes import ChannelKind
from smartpark_storage.alerts import read_contacts, told_facts

from smartpark_ingest.alerting.notify.alertmanager import push
from smartpark_ingest.alerting.notify.channels import Ways
from smartpark_ingest.alerting.notify.message import NotTakenError, RefusedError, read_address
from smartpark_ingest.database import PatientDatabase

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 200


def repeat(database: PatientDatabase, ways: Ways, now: datetime) -> int:
    """Tell every Alertmanager what still fires; how many alerts were repeated."""
    contacts = {
        one.code: one
        for one in database.run(read_contacts)
        if one.is_active and one.channel is ChannelKind.ALERTMANAGER
    }
    found = database.run(lambda connection: told_facts(connection, contacts.keys()))
    told = 0
    for code, items in found.items():
        holding = [item for item in items if item["over"] is None and item["ended_by"] is None]
        try:
            address = read_address(ways.secrets, contacts[code].address)
            for first in range(0, len(holding), _AT_ONCE):
                some = holding[first : first + _AT_ONCE]
                push(some, address, now, console=ways.console, may_be_private=ways.may_be_private)
                told += len(some)
        except (NotTakenError, RefusedError) as error:
            _log.warning("contact %s was not told again what fires: %s", code, error)
    return told
