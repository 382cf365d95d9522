"""The order in which a server is brought to what is declared: what others stand on comes first."""

from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.pages import PAGES
from smartpark_dashboards.sync.declared import Declared, Organisation
from smartpark_dashboards.sync.link import Link, version_of
from smartpark_dashboards.sync.objects import (
    FOLDERS,
    put_dashboard,
    put_folder,
    put_playlist,
    put_preferences,
    put_source,
)
from smartpark_dashboards.sync.people import number_of, organisation_id, put_members, put_person, warn_of_strays
from smartpark_dashboards.sync.sharing import put_account, put_permissions, put_team
from smartpark_dashboards.sync.steps import Book
from smartpark_dashboards.sync.within import Within


def things_of(declared: Declared) -> int:
    """About how many steps it will be, for whoever waits."""
    documents = len(PAGES)
    found = 2 * len(declared.organisation) + len(declared.user)
    for one in declared.organisation:
        found += len(one.member) + len(one.folder) * 2 + len(one.service_account) * 2 + len(one.playlist)
        found += sum(1 + len(team.members or ()) for team in one.team) + len(one.dashboards) * (documents + 1) + 2
    return found


def synchronise(declared: Declared, book: Book) -> str:
    """Bring the server to what is declared, or in a dry run say what that would take; returns Grafana's version."""
    password = declared.grafana.password()
    link = Link(declared.grafana, password or "")
    try:
        version = version_of(link)
        numbers = {one.name: organisation_id(link, book, one) for one in declared.organisation}
        people: dict[str, int | None] = {}
        for person in declared.user:
            first = next((numbers[one.name] for one in declared.organisations_of(person.login)), None)
            people[person.login] = put_person(link, book, person, first)
        for one in declared.organisation:
            for member in one.member:
                number_of(link, member.login, people)
            put_members(Within(link, book, one.name, numbers[one.name]), one.member)
        warn_of_strays(link, book, declared, people)
        for one in declared.organisation:
            _furnish(link, book, one, numbers[one.name], people)
    finally:
        link.close()
    return version


def _furnish(
    server: Link, book: Book, organisation: Organisation, number: int | None, people: dict[str, int | None]
) -> None:
    link = server if number is None else server.within(number)
    here = Within(link, book, organisation.name, number)
    try:
        put_source(here, organisation.data_source)
        _put_pages(here, organisation)
        teams = {team.name: put_team(here, team, people) for team in organisation.team}
        for folder in organisation.folder:
            if folder.uid not in {FOLDERS[language][0] for language in organisation.dashboards}:
                put_folder(here, folder.uid, folder.title)
            put_permissions(here, folder, teams, people)
        for account in organisation.service_account:
            put_account(here, account)
        put_preferences(here, organisation)
        for playlist in organisation.playlist:
            put_playlist(here, playlist)
    finally:
        if link is not server:
            link.close()


def _put_pages(here: Within, organisation: Organisation) -> None:
    documents = render_documents() if organisation.dashboards else {}
    titles = {folder.uid: folder.title for folder in organisation.folder}
    for language in organisation.dashboards:
        uid, title = FOLDERS[language]
        put_folder(here, uid, titles.get(uid) or title)
        for file, document in documents.items():
            if file.startswith(f"{language}/"):
                put_dashboard(here, uid, document)
