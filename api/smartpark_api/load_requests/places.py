"""Whether what a request names is there: its park, enterprise, node and people. Nothing is changed here."""

from smartpark.load_requests.events import Details
from smartpark.load_requests.requests import RefusedEventError
from smartpark_storage.connections import Connection
from smartpark_storage.figures import figure_entities
from smartpark_storage.load_requests import Person, read_persons
from smartpark_storage.reads_load import read_nodes

from smartpark_api.lookup import find_park


def check_place(connection: Connection, details: Details) -> None:
    """Refuse a park, enterprise or node that is not in the catalogue."""
    find_park(connection, details.park)
    entity = f"enterprise/{details.enterprise}"
    if details.enterprise is not None and (details.park, entity) not in figure_entities(connection):
        raise RefusedEventError(f"enterprise: {details.park} has no enterprise {details.enterprise!r}; leave it out")
    if details.node is not None:
        check_node(connection, details.park, details.node)


def check_node(connection: Connection, park: str, node: str) -> None:
    """Refuse a transformer or feeder that the park does not have."""
    known = [f"{row.kind}/{row.code}" for row in read_nodes(connection, park)]
    if node not in known:
        raise RefusedEventError(f"node: {park} has no {node!r}; known: {', '.join(known) or 'none yet'}")


def check_person(connection: Connection, code: str) -> Person:
    """Person of that code, active; refused otherwise."""
    people = {person.code: person for person in read_persons(connection)}
    found = people.get(code)
    if found is None or not found.is_active:
        active = sorted(name for name, person in people.items() if person.is_active)
        raise RefusedEventError(f"there is no active person {code!r}; known: {', '.join(active) or 'none yet'}")
    return found
