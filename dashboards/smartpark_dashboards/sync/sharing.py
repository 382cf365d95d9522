"""Who may do what within an organisation: teams, permissions of folders, service accounts and their tokens."""

import os
from pathlib import Path
from typing import Any, Final

from smartpark_dashboards.sync.declared import Account, Folder, Permission, Team
from smartpark_dashboards.sync.link import GrafanaRefusedError, or_none, quoted, told
from smartpark_dashboards.sync.steps import Action, Json, Step
from smartpark_dashboards.sync.within import Within

TOKEN: Final = "smartpark"  # noqa: S105  # its name, not the secret
"""Name of a service account's token of ours; others of the account are somebody else's."""
_LEVELS: Final = {"view": 1, "edit": 2, "admin": 4}


# --- teams --------------------------------------------------------------------------------------------------------


def put_team(here: Within, team: Team, people: dict[str, int | None]) -> int | None:
    """A team with exactly its members; returns its number."""
    with told(f"team {team.name} of organisation {here.name}"):
        fitting = here.link.api.teams.get_team_by_name(quoted(team.name)) if here.exists else []
        found = next((one for one in fitting if one["name"] == team.name), None)
        if found is None:
            content = {"name": team.name} | ({"email": team.email} if team.email else {})
            made = here.book.do(
                Step(here.name, "team", team.name, Action.MAKE), lambda: here.link.api.teams.add_team(content)
            )
            number = None if made is None else int(made["teamId"])
        else:
            number = int(found["id"])
            _same_team(here, team, found)
        if team.members is not None:
            _put_members(here, team, number, people, known=found is not None)
    return number


def _same_team(here: Within, team: Team, found: Json) -> None:
    if team.email and found.get("email") != team.email:
        content = {"name": team.name, "email": team.email}
        step = Step(here.name, "team", team.name, Action.CHANGE, "email")
        here.book.do(step, lambda: here.link.api.teams.update_team(found["id"], content))
    else:
        here.book.do(Step(here.name, "team", team.name, Action.KEEP))


def _put_members(
    here: Within, team: Team, number: int | None, people: dict[str, int | None], *,
    known: bool,
) -> None:  # fmt: skip
    found = {m["login"]: m["userId"] for m in here.link.api.teams.get_team_members(number)} if known else {}
    for login in team.members or ():
        step = Step(
            here.name, "team member", f"{login} of {team.name}", Action.KEEP if login in found else Action.MAKE
        )
        if login in found:
            here.book.do(step)
        else:
            here.book.do(step, lambda who=login: here.link.api.teams.add_team_member(number, people[who]))
    for login, user in found.items():
        if login not in (team.members or ()):
            step = Step(here.name, "team member", f"{login} of {team.name}", Action.REMOVE, "not in the list")
            here.book.do(step, lambda who=user: here.link.api.teams.remove_team_member(number, who))


# --- permissions of folders ---------------------------------------------------------------------------------------


def put_permissions(
    here: Within, folder: Folder, teams: dict[str, int | None],
    people: dict[str, int | None]) -> None:  # fmt: skip
    """Exactly the permissions declared; Grafana takes them as one list."""
    if folder.permission is None:
        return
    with told(f"permissions of folder {folder.uid} of organisation {here.name}"):
        wanted = [_item(permission, teams, people) for permission in folder.permission]
        found = or_none(lambda: here.link.api.folder.get_folder_permissions(folder.uid)) if here.exists else None
        if found is not None and {_key(one) for one in wanted} == {_key(one) for one in found if _is_own(one)}:
            here.book.do(Step(here.name, "permissions", folder.uid, Action.KEEP))
            return
        said = ", ".join(f"{p.team or p.login or p.role}: {p.may}" for p in folder.permission) or "nobody"
        step = Step(here.name, "permissions", folder.uid, Action.CHANGE, said)
        here.book.do(step, lambda: here.link.api.folder.update_folder_permissions(folder.uid, {"items": wanted}))


def _item(permission: Permission, teams: dict[str, int | None], people: dict[str, int | None]) -> Json:
    level = {"permission": _LEVELS[permission.may]}
    if permission.team is not None:
        return {"teamId": teams[permission.team], **level}
    if permission.login is not None:
        return {"userId": people[permission.login], **level}
    return {"role": permission.role, **level}


def _key(item: Json) -> tuple[Any, ...]:
    return (item.get("role") or "", item.get("teamId") or 0, item.get("userId") or 0, item["permission"])


def _is_own(item: Json) -> bool:
    """Whether it is of this folder's own list: administrators may do everything without standing in it."""
    return not item.get("inherited") and item.get("role") != "Admin"


# --- service accounts ---------------------------------------------------------------------------------------------


def put_account(here: Within, account: Account) -> None:
    """A service account and the file of its token."""
    with told(f"service account {account.name} of organisation {here.name}"):
        pages = here.link.api.serviceaccount.search(quoted(account.name), page=1, perpage=1000) if here.exists else []
        fitting = [one for page in pages for one in page["serviceAccounts"]]
        found = next((one for one in fitting if one["name"] == account.name), None)
        content = {"name": account.name, "role": account.role}
        name = f"{account.name} as {account.role}"
        if found is None:
            step = Step(here.name, "service account", name, Action.MAKE)
            # grafana-client writes a stroke behind the address, which Grafana's description does not have.
            made = here.book.do(step, lambda: here.link.call("POST", "/serviceaccounts", json=content))
            number = None if made is None else int(made["id"])
        else:
            number = int(found["id"])
            if found["role"] != account.role or found.get("isDisabled"):
                step = Step(here.name, "service account", name, Action.CHANGE, f"was {found['role']}")
                content = {**content, "isDisabled": False}
                here.book.do(step, lambda: here.link.api.serviceaccount.update(number, content))
            else:
                here.book.do(Step(here.name, "service account", name, Action.KEEP))
        if account.token_file is not None:
            _put_token(here, account.name, number, account.token_file, known=found is not None)


def _put_token(here: Within, account: str, number: int | None, file: Path, *, known: bool) -> None:
    """Grafana shows a token once: where its file is missing, the old one is lost, and is taken away."""
    tokens = here.link.api.serviceaccount.get_tokens(number) if known else []
    ours = next((token for token in tokens if token["name"] == TOKEN), None)
    if ours is not None and file.exists() and not ours.get("isRevoked") and not ours.get("hasExpired"):
        here.book.do(Step(here.name, "token", account, Action.KEEP, str(file)))
        return
    if ours is not None:
        step = Step(here.name, "token", account, Action.REMOVE, "its secret is lost or it has ended")
        here.book.do(step, lambda: here.link.api.serviceaccount.delete_token(number, ours["id"]))
    step = Step(here.name, "token", account, Action.MAKE, f"into {file}")
    here.book.do(step, lambda: _make_token(here, number, file))


def _make_token(here: Within, number: int | None, file: Path) -> None:
    """Make the file first: a token that cannot be written down would be lost at once."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise GrafanaRefusedError(f"{file}: the token cannot be written there: {error.strerror}") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            made = here.link.api.serviceaccount.create_token(number, {"name": TOKEN})
            opened.write(made["key"] + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
