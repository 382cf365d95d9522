"""A strict Grafana of our own: takes only operations that Grafana describes, keeps state, and says no on demand.

It knows what data/grafana/operations.json lists and nothing else, and what it does not know fails the test at the end
(`strange`). It is as forgetful as the real one where that matters: passwords are never given back, tokens only once,
and what it gives back of a dashboard has more in it than it was given. It is not Grafana: whether the real one does
the same only scripts/verify-grafana can tell.
"""

import base64
import copy
import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_OPERATIONS = json.loads((Path(__file__).parent / "data" / "grafana" / "operations.json").read_text())
_PATTERNS = [(one, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one["path"]))) for one in _OPERATIONS]
ADMIN = ("admin", "geheim-密码")


class RefusalError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.code, self.body = code, {"message": message, **more}


class FakeGrafana:
    """A server on a port of its own."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.version = "13.2.3"
        self.database = "ok"
        self.log: list[str] = []
        """Operations in the order in which they were asked for."""
        self.strange: list[str] = []
        """Requests that Grafana does not describe."""
        self.wrong: dict[str, list[int]] = {}
        """Statuses that an operation answers next."""
        self.at_write: tuple[int, Callable[[], object]] | None = None
        """After so many writes, and before they are answered, this is called."""
        self.ask: Callable[[dict[str, Any], dict[str, Any]], Any] = lambda query, request: []
        """Frames of a query."""
        self.taken: str | None = None
        """The password that the database takes; None takes any."""
        self.rewritten: dict[str, Any] = {}
        """What it keeps of every dashboard in another form than it was given."""
        self.rules: list[str] = []
        """Alert rules that files have made."""
        self.orgs: dict[int, dict[str, Any]] = {}
        self.users: dict[int, dict[str, Any]] = {1: _user(1, "admin", "", "")}
        self._numbers = 100
        self._lock = threading.RLock()
        self.new_org("Main Org.")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # an answer in one piece: in two, each would wait for the other's being acknowledged

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    status, content = 200, outer.take(self.command, self.path, self.headers, body)
                except RefusalError as refusal:
                    status, content = refusal.code, refusal.body
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self.answer
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Whoever is killed in the middle of a request leaves a broken connection, which is no news.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def hang_up() -> None:
        """For `at_write`: the connection ends without an answer."""
        raise ConnectionAbortedError

    @property
    def writes(self) -> list[str]:
        """Operations that changed something, or meant to."""
        reads = {one["id"] for one in _OPERATIONS if one["method"] == "GET"} | {"queryMetricsWithExpressions"}
        return [name for name in self.log if name not in reads]

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def new_org(self, name: str, creator: int = 1) -> int:
        number = 1 if not self.orgs else self.number()
        self.orgs[number] = {
            "name": name, "members": {creator: "Admin"}, "sources": {}, "folders": {}, "dashboards": {}, "teams": {},
            "accounts": {}, "preferences": {}, "playlists": {}, "permissions": {},
        }  # fmt: skip
        return number

    def org(self, name: str) -> dict[str, Any]:
        """An organisation by name."""
        return next(org for org in self.orgs.values() if org["name"] == name)

    def login(self, login: str) -> dict[str, Any]:
        """Somebody by login."""
        return next(user for user in self.users.values() if user["login"] == login)

    def provision(self, name: str, documents: list[dict[str, Any]], folder: str = "smartpark") -> None:
        """What file provisioning would make of an organisation."""
        org = self.org(name)
        org["folders"][folder] = {"uid": folder, "title": "智慧园区", "version": 1}
        for document in documents:
            org["dashboards"][document["uid"]] = {"dashboard": document, "folder": folder, "provisioned": True}

    # --- requests ---

    def take(self, method: str, path: str, headers: Any, body: bytes) -> Any:
        parts = urlsplit(path)
        for operation, pattern in _PATTERNS:
            match = pattern.fullmatch(parts.path)
            if match and operation["method"] == method:
                break
        else:
            self.strange.append(f"{method} {path}")
            raise RefusalError(404, "Not found")
        name = operation["id"]
        content = json.loads(body) if body else {}
        missing = [key for key in operation["required"] if key not in content]
        with self._lock:
            if missing:
                self.strange.append(f"{method} {path} without {missing}")
                raise RefusalError(400, f"required: {missing}")
            if method in {"POST", "PUT", "PATCH"} and content and "json" not in (headers["Content-Type"] or ""):
                self.strange.append(f"{method} {path} as {headers['Content-Type']}")
            return self._answer(name, match, parts, headers, content)

    def _answer(self, name: str, match: Any, parts: Any, headers: Any, content: Any) -> Any:
        self.log.append(name)
        if self.wrong.get(name):
            status = self.wrong[name].pop(0)
            raise RefusalError(status, f"made to answer {status}")
        if name != "getHealth":
            self._let_in(headers)
        request = {key: unquote(value) for key, value in match.groupdict().items()}
        request["query"] = {key: values[0] for key, values in parse_qs(parts.query).items()}
        request["org"] = int(headers["X-Grafana-Org-Id"] or 1)
        if request["org"] not in self.orgs or 1 not in self.orgs[request["org"]]["members"]:
            raise RefusalError(403, "You are not a member of the organization")
        answer = getattr(self, f"_{_snake(name)}")(request, content)
        if self.at_write and len(self.writes) == self.at_write[0] and name == self.writes[-1]:
            self.at_write[1]()
        return copy.deepcopy(answer)

    def _let_in(self, headers: Any) -> None:
        kind, _, given = (headers["Authorization"] or "").partition(" ")
        if kind != "Basic":
            raise RefusalError(401, "Unauthorized")
        login, _, password = base64.b64decode(given).decode().partition(":")
        if (login, password) == ADMIN:
            return
        if any(user["login"] == login and user.get("password") == password for user in self.users.values()):
            raise RefusalError(403, "You'll need additional permissions to perform this action.")
        raise RefusalError(401, "Invalid username or password")

    def _get_health(self, request, content):
        return {"database": self.database, "version": self.version, "commit": "abc"}

    # --- organisations and people ---

    def _create_org(self, request, content):
        if any(org["name"] == content["name"] for org in self.orgs.values()):
            raise RefusalError(409, "Organization name taken")
        return {"message": "Organization created", "orgId": self.new_org(content["name"])}

    def _get_org_by_name(self, request, content):
        for number, org in self.orgs.items():
            if org["name"] == request["org_name"]:
                return {"id": number, "name": org["name"]}
        raise RefusalError(404, "Organization not found")

    def _members(self, request):
        number = int(request["org_id"])
        if number not in self.orgs:
            raise RefusalError(404, "Organization not found")
        return self.orgs[number]["members"]

    def _get_org_users(self, request, content):
        members = self._members(request)
        return [{"orgId": 0, "userId": n, "login": self.users[n]["login"], "role": r} for n, r in members.items()]

    def _add_org_user(self, request, content):
        members = self._members(request)
        user = next((u for u in self.users.values() if content["loginOrEmail"] in (u["login"], u["email"])), None)
        if user is None:
            raise RefusalError(404, "User not found")
        if user["id"] in members:
            raise RefusalError(409, "User is already member of this organization")
        members[user["id"]] = content["role"]
        return {"message": "User added to organization", "userId": user["id"]}

    def _update_org_user(self, request, content):
        self._members(request)[int(request["user_id"])] = content["role"]
        return {"message": "Organization user updated"}

    def _admin_create_user(self, request, content):
        if any(user["login"] == content["login"] for user in self.users.values()):
            raise RefusalError(412, f"User with email '' or username '{content['login']}' already exists")
        user = _user(self.number(), content["login"], content.get("name", ""), content.get("email", ""))
        self.users[user["id"]] = user | {"password": content["password"]}
        self.orgs[content.get("orgId", 1)]["members"][user["id"]] = "Viewer"
        return {"id": user["id"], "message": "User created"}

    def _admin_disable_user(self, request, content):
        self.users[int(request["user_id"])]["isDisabled"] = True
        return {"message": "User disabled"}

    def _admin_enable_user(self, request, content):
        self.users[int(request["user_id"])]["isDisabled"] = False
        return {"message": "User enabled"}

    def _get_user_by_login_or_email(self, request, content):
        wanted = request["query"]["loginOrEmail"]
        for user in self.users.values():
            if wanted in (user["login"], user["email"]):
                return self._public(user)
        raise RefusalError(404, "user not found")

    def _public(self, user):
        return {key: value for key, value in user.items() if key != "password"}

    def _update_user(self, request, content):
        self.users[int(request["user_id"])].update(content)
        return {"message": "User updated"}

    def _get_user_org_list(self, request, content):
        number = int(request["user_id"])
        return [
            {"orgId": n, "name": org["name"], "role": org["members"][number]}
            for n, org in self.orgs.items()
            if number in org["members"]
        ]

    # --- data sources ---

    def _here(self, request):
        return self.orgs[request["org"]]

    def _get_data_sources(self, request, content):
        return [self._source(source) for source in self._here(request)["sources"].values()]

    def _source(self, source):
        shown = {key: value for key, value in source.items() if key != "secureJsonData"}
        return shown | {
            "secureJsonFields": dict.fromkeys(source.get("secureJsonData", {}), True),
            "readOnly": source.get("readOnly", False),
        }

    def _add_data_source(self, request, content):
        sources = self._here(request)["sources"]
        if content["uid"] in sources or any(one["name"] == content["name"] for one in sources.values()):
            raise RefusalError(409, "data source with the same name already exists")
        sources[content["uid"]] = content | {"id": self.number(), "version": 1}
        return {"id": sources[content["uid"]]["id"], "message": "Datasource added"}

    def _one_source(self, request):
        found = self._here(request)["sources"].get(request["uid"])
        if found is None:
            raise RefusalError(404, "Data source not found")
        return found

    def _get_data_source_by_uid(self, request, content):
        return self._source(self._one_source(request))

    def _update_data_source_by_uid(self, request, content):
        source = self._one_source(request)
        if source.get("readOnly"):
            raise RefusalError(403, "Cannot update read-only data source")
        if content.get("version") != source["version"]:
            raise RefusalError(
                409, "Datasource has already been updated by someone else. Please reload and try again"
            )
        source.update(content | {"version": source["version"] + 1})
        return {"message": "Datasource updated"}

    def _check_datasource_health_with_uid(self, request, content):
        source = self._one_source(request)
        if self.taken not in (None, source["secureJsonData"]["password"]):
            role = source["user"]
            raise RefusalError(
                400, f'failed SASL auth: FATAL: password authentication failed for user "{role}"', status="ERROR"
            )
        return {"status": "OK", "message": "Database Connection OK"}

    def _query_metrics_with_expressions(self, request, content):
        results, worst = {}, 200
        for query in content["queries"]:
            self._one_source(request | {"uid": query["datasource"]["uid"]})
            try:
                results[query["refId"]] = {"status": 200, "frames": self.ask(query, content)}
            except ValueError as error:
                results[query["refId"]] = {"status": 400, "error": str(error)}
                worst = 400
        if worst != 200:
            raise RefusalError(worst, "", results=results)
        return {"results": results}

    def _get_alert_rules(self, request, content):
        return [{"uid": uid} for uid in self.rules]

    # --- folders and dashboards ---

    def _create_folder(self, request, content):
        org = self._here(request)
        if content["uid"] in org["folders"]:
            raise RefusalError(409, "a folder with the same UID already exists")
        org["folders"][content["uid"]] = {"uid": content["uid"], "title": content["title"], "version": 1}
        org["permissions"][content["uid"]] = [
            {"userId": 1, "permission": 4}, {"role": "Editor", "permission": 2}, {"role": "Viewer", "permission": 1}
        ]  # fmt: skip
        return org["folders"][content["uid"]]

    def _folder(self, request):
        found = self._here(request)["folders"].get(request["folder_uid"])
        if found is None:
            raise RefusalError(404, "folder not found")
        return found

    def _get_folder_by_uid(self, request, content):
        return self._folder(request)

    def _update_folder(self, request, content):
        folder = self._folder(request)
        if content.get("version") != folder["version"] and not content.get("overwrite"):
            raise RefusalError(412, "the folder has been changed by someone else")
        folder.update(title=content["title"], version=folder["version"] + 1)
        return folder

    def _get_folder_permission_list(self, request, content):
        self._folder(request)
        inherited = {"role": "Admin", "permission": 4, "inherited": True}
        own = self._here(request)["permissions"].get(request["folder_uid"], [])
        return [inherited, *({"role": "", "teamId": 0, "userId": 0, **item} for item in own)]

    def _update_folder_permissions(self, request, content):
        self._folder(request)
        org = self._here(request)
        for item in content["items"]:
            if "teamId" in item and item["teamId"] not in org["teams"]:
                raise RefusalError(404, "team not found")
        org["permissions"][request["folder_uid"]] = content["items"]
        return {"message": "Folder permissions updated"}

    def _get_dashboard_by_uid(self, request, content):
        found = self._here(request)["dashboards"].get(request["uid"])
        if found is None:
            raise RefusalError(404, "Dashboard not found")
        dashboard = copy.deepcopy(found["dashboard"]) | {"id": 7, "version": 3, "liveNow": False}
        for panel in dashboard["panels"]:
            panel["pluginVersion"] = self.version
        dashboard |= self.rewritten
        return {
            "dashboard": dashboard,
            "meta": {"folderUid": found["folder"], "provisioned": found.get("provisioned", False)},
        }

    def _get_dashboard_versions_by_uid(self, request, content):
        found = self._here(request)["dashboards"][request["uid"]]
        return {"continueToken": "", "versions": [{"version": 3, "message": found.get("message", "")}]}

    def _post_dashboard(self, request, content):
        org, document = self._here(request), content["dashboard"]
        if content.get("folderUid") not in org["folders"]:
            raise RefusalError(400, "folder not found")
        present = org["dashboards"].get(document["uid"])
        if present and present.get("provisioned"):
            raise RefusalError(400, "Cannot save provisioned dashboard")
        if present and not content.get("overwrite"):
            raise RefusalError(412, "The dashboard has been changed by someone else", status="version-mismatch")
        kept = {"dashboard": document, "folder": content["folderUid"], "message": content.get("message", "")}
        org["dashboards"][document["uid"]] = kept
        return {"status": "success", "uid": document["uid"], "version": 1}

    # --- teams, accounts ---

    def _search_teams(self, request, content):
        wanted, teams = request["query"].get("name"), self._here(request)["teams"].values()
        fitting = [
            {"id": t["id"], "name": t["name"], "email": t["email"]} for t in teams if wanted in (None, t["name"])
        ]
        return {"teams": fitting, "totalCount": len(fitting), "page": 1, "perPage": 1000}

    def _create_team(self, request, content):
        teams = self._here(request)["teams"]
        if any(team["name"] == content["name"] for team in teams.values()):
            raise RefusalError(409, "Team name taken")
        number = self.number()
        teams[number] = {"id": number, "name": content["name"], "email": content.get("email", ""), "members": []}
        return {"teamId": number, "uid": f"team{number}", "message": "Team created"}

    def _team(self, request):
        found = self._here(request)["teams"].get(int(request["team_id"]))
        if found is None:
            raise RefusalError(404, "Team not found")
        return found

    def _update_team(self, request, content):
        self._team(request).update(content)
        return {"message": "Team updated"}

    def _get_team_members(self, request, content):
        return [{"userId": n, "login": self.users[n]["login"]} for n in self._team(request)["members"]]

    def _add_team_member(self, request, content):
        team = self._team(request)
        if content["userId"] in team["members"]:
            raise RefusalError(400, "User is already added to this team")
        if content["userId"] not in self._here(request)["members"]:
            raise RefusalError(404, "user is not in the organization")
        team["members"].append(content["userId"])
        return {"message": "Member added to Team"}

    def _remove_team_member(self, request, content):
        self._team(request)["members"].remove(int(request["user_id"]))
        return {"message": "Team Member removed"}

    def _search_org_service_accounts_with_paging(self, request, content):
        wanted, accounts = request["query"].get("query", ""), self._here(request)["accounts"].values()
        fitting = [
            {key: a[key] for key in ("id", "name", "role", "isDisabled")} for a in accounts if wanted in a["name"]
        ]
        return {"serviceAccounts": fitting, "totalCount": len(fitting), "page": 1, "perPage": 1000}

    def _create_service_account(self, request, content):
        accounts = self._here(request)["accounts"]
        if any(account["name"] == content["name"] for account in accounts.values()):
            raise RefusalError(400, "service account already exists")
        number = self.number()
        account = {"id": number, "role": "Viewer", "isDisabled": False, "tokens": {}}
        accounts[number] = account | content
        return {"id": number, "name": content["name"]}

    def _account(self, request):
        found = self._here(request)["accounts"].get(int(request["serviceAccountId"]))
        if found is None:
            raise RefusalError(404, "service account not found")
        return found

    def _update_service_account(self, request, content):
        self._account(request).update(content)
        return {"message": "Service account updated"}

    def _list_tokens(self, request, content):
        return [
            {"id": n, "name": t["name"], "hasExpired": False, "isRevoked": False}
            for n, t in self._account(request)["tokens"].items()
        ]

    def _create_token(self, request, content):
        tokens = self._account(request)["tokens"]
        if any(token["name"] == content["name"] for token in tokens.values()):
            raise RefusalError(409, "service account token with given name already exists in the organization")
        number = self.number()
        tokens[number] = {"name": content["name"], "key": f"glsa_{number}"}
        return {"id": number, "name": content["name"], "key": f"glsa_{number}"}

    def _delete_token(self, request, content):
        del self._account(request)["tokens"][int(request["tokenId"])]
        return {"message": "Service account token deleted"}

    # --- preferences, playlists ---

    def _get_org_preferences(self, request, content):
        return self._here(request)["preferences"]

    def _patch_org_preferences(self, request, content):
        org = self._here(request)
        if content.get("homeDashboardUID") not in (None, *org["dashboards"]):
            raise RefusalError(404, "Dashboard not found")
        org["preferences"].update(content)
        return {"message": "Preferences updated"}

    def _playlists(self, request):
        wanted = "default" if request["org"] == 1 else f"org-{request['org']}"
        if request["namespace"] != wanted:
            raise RefusalError(403, "namespace mismatch")
        return self._here(request)["playlists"]

    def _get_playlist(self, request, content):
        found = self._playlists(request).get(request["name"])
        if found is None:
            raise RefusalError(404, "playlists.playlist.grafana.app not found")
        return found

    def _create_playlist(self, request, content):
        playlists, name = self._playlists(request), content["metadata"]["name"]
        if name in playlists:
            raise RefusalError(409, "already exists")
        playlists[name] = content | {"metadata": {"name": name, "resourceVersion": "1"}}
        return playlists[name]

    def _replace_playlist(self, request, content):
        present = self._get_playlist(request, content)
        version = present["metadata"]["resourceVersion"]
        if content["metadata"].get("resourceVersion") != version:
            raise RefusalError(409, "the object has been modified; please apply your changes to the latest version")
        metadata = {"name": request["name"], "resourceVersion": str(int(version) + 1)}
        self._playlists(request)[request["name"]] = content | {"metadata": metadata}
        return self._playlists(request)[request["name"]]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _user(number: int, login: str, name: str, email: str) -> dict[str, Any]:
    return {"id": number, "login": login, "name": name, "email": email, "isDisabled": False, "isExternal": False}
