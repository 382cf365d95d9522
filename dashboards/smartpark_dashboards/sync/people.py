"""Organisations, people, and who is a member where. Nobody is taken out: who leaves is `disabled`."""

import secrets
from typing import Any

from smartpark_dashboards.sync.declared import Declared, Member, Organisation, Person
from smartpark_dashboards.sync.link import Link, or_none, quoted, told
from smartpark_dashboards.sync.steps import Action, Book, Step
from smartpark_dashboards.sync.within import Within


def organisation_id(link: Link, book: Book, wanted: Organisation) -> int | None:
    """Number of an organisation, which is made where it is not there; None where a dry run would make it."""
    with told(f"organisation {wanted.name}"):
        found = or_none(lambda: link.api.organization.find_organization(quoted(wanted.name)))
        if found is not None:
            book.do(Step("", "organisation", wanted.name, Action.KEEP))
            return int(found["id"])
        step = Step("", "organisation", wanted.name, Action.MAKE)
        made = book.do(step, lambda: link.api.organization.create_organization(wanted.name))
        return None if made is None else int(made["orgId"])


def put_person(link: Link, book: Book, person: Person, first: int | None) -> int | None:
    """Number of somebody, who gets an account where there is none.

    `first`: the organisation into which a new one goes; else Grafana would put them into its first, whose data source
    may show every park.
    """
    with told(f"user {person.login}"):
        found = or_none(lambda: link.api.users.find_user(person.login))
        if found is None:
            return _new_person(link, book, person, first)
        number = int(found["id"])
        _same_person(link, book, person, found)
        return number


def _new_person(link: Link, book: Book, person: Person, first: int | None) -> int | None:
    password = person.password() or secrets.token_urlsafe(24)
    content = {
        "login": person.login,
        "name": person.name,
        "email": person.email,
        "password": password,
        "orgId": first,
    }
    detail = "" if person.password_file or person.password_env else "with a password that nobody knows"
    made = book.do(
        Step("", "user", person.login, Action.MAKE, detail),
        lambda: link.api.admin.create_user({key: value for key, value in content.items() if value not in ("", None)}),
    )
    if made is None:
        return None
    if person.disabled:
        link.api.admin.set_user_enabled(made["id"], enabled=False)
    return int(made["id"])


def _same_person(link: Link, book: Book, person: Person, found: dict[str, Any]) -> None:
    number = int(found["id"])
    wanted = {"name": person.name, "email": person.email}
    changed = {key: value for key, value in wanted.items() if value and found.get(key) != value}
    elsewhere = found.get("isExternal") or found.get("isProvisioned")
    if changed and elsewhere:
        book.do(Step("", "user", person.login, Action.LEAVE, "comes from another login system"))
    elif changed:
        content = {"login": person.login} | {key: value or found.get(key, "") for key, value in wanted.items()}
        step = Step("", "user", person.login, Action.CHANGE, ", ".join(changed))
        book.do(step, lambda: link.api.users.update_user(number, content))
    if bool(found.get("isDisabled")) != person.disabled:
        step = Step("", "user", person.login, Action.CHANGE, "disabled" if person.disabled else "enabled")
        book.do(step, lambda: link.api.admin.set_user_enabled(number, enabled=not person.disabled))
    elif not changed:
        book.do(Step("", "user", person.login, Action.KEEP))


def number_of(link: Link, login: str, known: dict[str, int | None]) -> int | None:
    """Number of a member; whoever is not declared as a user must have come by another way, such as single sign-on."""
    if login not in known:
        with told(f"user {login}, who is not declared under [[user]]"):
            known[login] = int(link.api.users.find_user(login)["id"])
    return known[login]


def put_members(here: Within, declared: tuple[Member, ...]) -> None:
    """See to it that everybody declared is a member, and the one who writes all this an administrator."""
    link, book = here.link, here.book
    wanted = [Member(login=link.user, role="Admin"), *(member for member in declared if member.login != link.user)]
    with told(f"members of organisation {here.name}"):
        listed = [] if here.number is None else link.api.organizations.organization_user_list(here.number)
        found = {member["login"]: member for member in listed}
        for member in wanted:
            # Who makes an organisation is in it from then on.
            if here.exists or member.login != link.user:
                _put_member(here, member, found.get(member.login))
        known = {member.login for member in wanted}
        for login, member in found.items():
            if login not in known:
                detail = f"{member['role']}, not declared here; may ask the organisation's data sources"
                book.do(Step(here.name, "member", login, Action.LEAVE, detail))


def _put_member(here: Within, member: Member, found: dict[str, Any] | None) -> None:
    name, people = f"{member.login} as {member.role}", here.link.api.organizations
    if found is None:
        content = {"loginOrEmail": member.login, "role": member.role}
        step = Step(here.name, "member", name, Action.MAKE)
        here.book.do(step, lambda: people.organization_user_add(here.number, content))
    elif found["role"] != member.role:
        step = Step(here.name, "member", name, Action.CHANGE, f"was {found['role']}")
        here.book.do(step, lambda: people.organization_user_update(here.number, found["userId"], member.role))
    else:
        here.book.do(Step(here.name, "member", name, Action.KEEP))


def warn_of_strays(link: Link, book: Book, declared: Declared, known: dict[str, int | None]) -> None:
    """Name organisations where a declared person is a member though the file does not say so: they may ask there."""
    names = {organisation.name for organisation in declared.organisation}
    for person in declared.user:
        number = known.get(person.login)
        if number is None or person.disabled:
            continue
        with told(f"organisations of user {person.login}"):
            for one in link.api.users.get_user_organisations(number):
                said = any(o.name == one["name"] for o in declared.organisations_of(person.login))
                if not said and one["name"] not in names:
                    detail = f"also a member of {one['name']}, which is not declared; may ask its data sources"
                    book.do(Step("", "user", person.login, Action.LEAVE, detail))
