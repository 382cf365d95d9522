"""`smartpark requests people` and `managers`: who works at the desk, and whose parks those are."""

import argparse

from smartpark.cli import Subparsers, command_group
from smartpark.load_requests.words import Duty

from smartpark_api.load_requests.verbs import WHERE, json_option, tell, verb

_PEOPLE = "Somebody who is not listed cannot act. Nobody is deleted: who leaves is put with --inactive."


def register_people(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs about people."""
    people = command_group(verbs, "people", "people of the desk: list, put")
    json_option(verb(people, "list", "people by code", _PEOPLE, _people))
    put = verb(people, "put", "add a person, or say something else of one", _PEOPLE, _put_person)
    put.add_argument("code", help="short code, e.g. chen")
    put.add_argument("--name", required=True, metavar="NAME", help="name")
    put.add_argument("--name-en", default="", metavar="NAME", help="name in English")
    put.add_argument("--email", default="", metavar="ADDRESS", help="where reminders go")
    put.add_argument("--phone", metavar="NUMBER", help="telephone")
    put.add_argument("--language", default="zh", choices=("zh", "en"), help="of what is sent (zh)")
    put.add_argument("--inactive", action="store_true", help="has left, and can act no more")


def register_managers(verbs: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add the verbs about who has which park."""
    managers = command_group(verbs, "managers", "project managers of parks: list, put, remove")
    listing = verb(managers, "list", "who is project manager or deputy of which park, by day", WHERE, _managers)
    listing.add_argument("--park", metavar="CODE", help="only of this park")
    json_option(listing)
    put = verb(managers, "put", "name a project manager or deputy from a day on", WHERE, _put_manager)
    remove = verb(managers, "remove", "take back a term that was entered by mistake", WHERE, _remove_manager)
    for parser in (put, remove):
        parser.add_argument("park", help="code of the park")
        parser.add_argument("--duty", default="manager", choices=list(Duty), help="manager or deputy (manager)")
        parser.add_argument("--from", dest="start", required=True, metavar="DAY", help="first day")
    put.add_argument("person", help="code of the person")
    put.add_argument("--to", dest="end", metavar="DAY", help="day after the last (until further notice)")


def _people(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import people, working

    with working() as desk:
        return tell(arguments, *people(desk))


def _put_person(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import put_somebody, working

    with working() as desk:
        put_somebody(
            desk,
            arguments.code,
            name=arguments.name,
            name_en=arguments.name_en,
            email=arguments.email,
            phone=arguments.phone,
            language=arguments.language,
            is_active=not arguments.inactive,
        )
    print(f"{arguments.code}: {arguments.name}")
    return 0


def _managers(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import managers, working

    with working() as desk:
        return tell(arguments, *managers(desk, arguments.park))


def _put_manager(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import put_term, working

    with working() as desk:
        put_term(
            desk,
            arguments.park,
            arguments.person,
            duty=arguments.duty,
            start=arguments.start,
            end=arguments.end,
        )
    print(f"{arguments.park}: {arguments.person}, {arguments.duty} from {arguments.start}")
    return 0


def _remove_manager(arguments: argparse.Namespace) -> int:
    from smartpark_api.load_requests.terminal import remove_term, working

    with working() as desk:
        remove_term(desk, arguments.park, duty=arguments.duty, start=arguments.start)
    print(f"{arguments.park}: no {arguments.duty} from {arguments.start} any more")
    return 0
