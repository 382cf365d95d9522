"""`smartpark grafana sync` against a strict Grafana of our own: what it makes, that it does so once, refusals."""

import itertools
import json
import re
import signal
import ssl
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from certificates import Authority
from fake_grafana import ADMIN, FakeGrafana
from smartpark.cli import command_line, main
from smartpark.errors import InvalidFileError
from smartpark.tomlfile import parse_model
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.sync.declared import ROUND, Declared
from smartpark_dashboards.sync.objects import FOLDERS, source_content

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {d["uid"]: d for name, d in render_documents().items() if name.startswith("zh/")}
FEW = {uid: DOCUMENTS[uid] for uid in ("park-overview", "park-power")}
TWO_PARKS = """
[grafana]
url = "{url}"
password_file = "{folder}/admin.password"

[[user]]
login = "chen"
name = "陈工"
email = "chen@park.example"
password_file = "{folder}/chen.password"

[[user]]
login = "lin"
name = "林总"

[[organisation]]
name = "闽侯园区"
dashboards = ["zh"]
home = "park-overview"
time_zone = "Asia/Shanghai"
language = "zh-Hans"
week_start = "monday"

[organisation.data_source]
host = "database:5432"
role = "smartpark_grafana_minhou"
password_file = "{folder}/minhou.password"

[[organisation.member]]
login = "chen"
role = "Editor"

[[organisation.member]]
login = "lin"

[[organisation.team]]
name = "运维班 & 值班"
members = ["chen", "lin"]

[[organisation.folder]]
uid = "smartpark"

[[organisation.folder.permission]]
team = "运维班 & 值班"
may = "edit"

[[organisation.folder.permission]]
role = "Viewer"
may = "view"

[[organisation.service_account]]
name = "大屏"
token_file = "{folder}/tokens/screen.token"

[[organisation.playlist]]

[[organisation]]
name = "Fuzhou / South 100%"

[organisation.data_source]
host = "database:5432"
role = "smartpark_grafana_fuzhou"
password_file = "{folder}/fuzhou.password"
tls = "disable"

[[organisation.member]]
login = "chen"
"""


@pytest.fixture
def config(grafana, tmp_path, monkeypatch):
    """Two parks, an organisation each, and, as most tests need no more, two dashboards."""
    few = {f"zh/{uid}.json": document for uid, document in FEW.items()}
    monkeypatch.setattr("smartpark_dashboards.sync.run.render_documents", lambda: few)
    for name, password in (("admin", ADMIN[1]), ("chen", "first"), ("minhou", "m-secret"), ("fuzhou", "f-secret")):
        (tmp_path / f"{name}.password").write_text(f"{password}\n")
    file = tmp_path / "grafana.toml"
    file.write_text(TWO_PARKS.format(url=grafana.url, folder=tmp_path))
    return file


def run(config, *options):
    return main(["grafana", "sync", str(config), *options])


def steps(capsys):
    return json.loads(capsys.readouterr().out)


def written(told):
    """What was written, or would be; whether made or changed may look otherwise before others are there."""
    actions = {"make", "change", "remove"}
    return [(s["organisation"], s["kind"], s["name"]) for s in told["steps"] if s["action"] in actions]


# --- what it makes ------------------------------------------------------------------------------------------------


def test_two_parks_are_set_up_apart_and_a_second_run_writes_nothing(grafana, config, capsys, monkeypatch):
    tmp_path = config.parent
    monkeypatch.setattr("smartpark_dashboards.sync.run.render_documents", render_documents)
    assert run(config) == 0
    told = capsys.readouterr().out
    assert "make    organisation 闽侯园区" in told
    assert "secret" not in told
    one, other = grafana.org("闽侯园区"), grafana.org("Fuzhou / South 100%")
    assert one["sources"]["park-tsdb"]["user"] == "smartpark_grafana_minhou"
    assert one["sources"]["park-tsdb"]["secureJsonData"] == {"password": "m-secret"}
    assert other["sources"]["park-tsdb"]["user"] == "smartpark_grafana_fuzhou"
    assert set(one["dashboards"]) == set(DOCUMENTS)
    assert one["dashboards"]["park-power"]["dashboard"] == DOCUMENTS["park-power"]
    assert {page["folder"] for page in one["dashboards"].values()} == {"smartpark"}
    assert other["dashboards"] == {}
    assert one["folders"]["smartpark"]["title"] == "智慧园区"
    chen, lin = grafana.login("chen")["id"], grafana.login("lin")["id"]
    assert one["members"] == {1: "Admin", chen: "Editor", lin: "Viewer"}
    assert other["members"] == {1: "Admin", chen: "Viewer"}
    assert grafana.org("Main Org.")["members"] == {1: "Admin"}, "there is the data source of all parks"
    ((number, team),) = one["teams"].items()
    assert (team["name"], team["members"]) == ("运维班 & 值班", [chen, lin])
    assert one["permissions"]["smartpark"] == [
        {"teamId": number, "permission": 2},
        {"role": "Viewer", "permission": 1},
    ]
    preferences = {"homeDashboardUID": "park-overview", "timezone": "Asia/Shanghai", "language": "zh-Hans"}
    assert one["preferences"] == preferences | {"weekStart": "monday"}
    (playlist,) = one["playlists"].values()
    assert [item["value"] for item in playlist["spec"]["items"]] == list(ROUND)
    token = tmp_path / "tokens" / "screen.token"
    assert token.read_text().startswith("glsa_")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert list(token.parent.iterdir()) == [token]

    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == []
    assert grafana.log


def test_a_dry_run_says_everything_and_writes_nothing(grafana, config, tmp_path, capsys):
    assert run(config, "--dry-run", "--json") == 3
    planned = steps(capsys)
    assert planned["dry_run"] is True
    assert grafana.writes == []
    assert not (tmp_path / "tokens").exists()
    assert run(config, "--json") == 0
    done = steps(capsys)
    assert set(written(done)) <= set(written(planned))
    # A new account is a viewer of its first organisation at once, which a dry run does not see.
    assert {s[1:] for s in set(written(planned)) - set(written(done))} <= {("member", "lin as Viewer")}
    assert len(written(done)) > len(FEW) + 10
    assert run(config, "--dry-run") == 0
    assert "Nothing was written" in capsys.readouterr().out


def test_what_was_changed_by_hand_is_brought_back_and_what_is_not_ours_is_left(grafana, config, capsys):
    assert run(config) == 0
    capsys.readouterr()
    one = grafana.org("闽侯园区")
    stranger = grafana.number()
    grafana.users[stranger] = {"id": stranger, "login": "wang", "name": "", "email": "wang@x", "isDisabled": False}
    one["members"][stranger] = "Editor"
    next(iter(one["teams"].values()))["members"].append(stranger)
    one["sources"]["park-tsdb"]["user"] = "smartpark_grafana"
    one["sources"]["other"] = {"uid": "other", "name": "elsewhere"}
    mine = one["dashboards"]["park-power"]["dashboard"] | {"title": "mine"}
    one["dashboards"]["park-power"] |= {"dashboard": mine, "message": "by hand"}
    one["dashboards"]["own"] = {"dashboard": {"uid": "own"}, "folder": "smartpark"}
    one["members"][grafana.login("lin")["id"]] = "Admin"
    one["playlists"]["smartpark-round"]["spec"]["interval"] = "5m"
    one["preferences"]["theme"] = "dark"
    grafana.login("chen")["isDisabled"] = True
    grafana.log.clear()
    assert run(config, "--json") == 0
    told = {(s["action"], s["kind"], s["name"]): s["detail"] for s in steps(capsys)["steps"] if s["action"] != "keep"}
    assert set(told) == {
        ("change", "user", "chen"),
        ("change", "member", "lin as Viewer"),
        ("leave", "member", "wang"),
        ("change", "data source", "park-tsdb as smartpark_grafana_minhou"),
        ("leave", "data source", "elsewhere (other)"),
        ("change", "dashboard", "电力与需量 (park-power)"),
        ("remove", "team member", "wang of 运维班 & 值班"),
        ("change", "playlist", "智慧园区轮播"),
    }
    assert told["change", "dashboard", "电力与需量 (park-power)"] == "title"
    assert set(one["dashboards"]) == {*FEW, "own"}
    assert one["members"][stranger] == "Editor"
    assert one["preferences"]["theme"] == "dark", "what is not declared is not touched"
    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == []


def test_a_page_that_grafana_keeps_in_another_form_is_not_written_again_and_again(grafana, config, capsys):
    grafana.rewritten = {"schemaVersion": 99, "refresh": ""}
    assert run(config) == 0
    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == []
    page = grafana.org("闽侯园区")["dashboards"]["park-power"]
    page |= {"dashboard": page["dashboard"] | {"title": "mine"}, "message": "by hand"}
    capsys.readouterr()
    assert run(config) == 0
    assert grafana.writes == ["postDashboard"]
    assert "change  闽侯园区: dashboard 电力与需量 (park-power)" in capsys.readouterr().out


def test_what_comes_from_files_belongs_to_the_files(grafana, config, capsys):
    grafana.provision("Main Org.", list(FEW.values()))
    source = {"uid": "park-tsdb", "name": "park", "user": "smartpark_grafana", "readOnly": True, "version": 1}
    grafana.org("Main Org.")["sources"]["park-tsdb"] = source | {"secureJsonData": {"password": "x"}}
    config.write_text(config.read_text().replace('"闽侯园区"', '"Main Org."'))
    before = dict(grafana.org("Main Org.")["sources"]["park-tsdb"])
    assert run(config, "--json") == 0
    left = [s for s in steps(capsys)["steps"] if s["action"] == "leave"]
    assert {s["name"] for s in left if s["detail"] == "comes from files"} == {
        f"{d['title']} ({uid})" for uid, d in FEW.items()
    }
    assert any(s["kind"] == "data source" and "comes from files, and differs in" in s["detail"] for s in left)
    assert grafana.org("Main Org.")["sources"]["park-tsdb"] == before
    assert grafana.org("Main Org.")["permissions"]["smartpark"], "files cannot say who may see a folder"
    assert "postDashboard" not in grafana.log


def test_a_password_that_the_database_refuses_is_written_again_once(grafana, config, tmp_path, capsys):
    assert run(config) == 0
    (tmp_path / "minhou.password").write_text("new-secret")
    (tmp_path / "fuzhou.password").write_text("new-secret")
    grafana.taken = "new-secret"
    capsys.readouterr()
    grafana.log.clear()
    assert run(config) == 0
    assert "password, as the old one is refused" in capsys.readouterr().out
    assert grafana.writes == ["updateDataSourceByUID"] * 2
    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == []
    grafana.taken = "somebody else's"
    assert run(config) == 1
    assert "does not answer" in capsys.readouterr().out


def test_a_lost_token_is_replaced_and_a_kept_one_is_not(grafana, config, tmp_path):
    assert run(config) == 0
    file = tmp_path / "tokens" / "screen.token"
    first = file.read_text()
    file.unlink()
    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == ["deleteToken", "createToken"]
    assert file.read_text() != first
    (account,) = grafana.org("闽侯园区")["accounts"].values()
    assert [token["key"] for token in account["tokens"].values()] == [file.read_text().strip()]


def test_a_token_that_cannot_be_written_down_is_not_made(grafana, config, tmp_path, capsys):
    (tmp_path / "tokens").write_text("no folder")
    assert run(config) == 1
    assert "the token cannot be written there" in capsys.readouterr().err
    assert "createToken" not in grafana.log


def test_whoever_leaves_is_disabled(grafana, config):
    assert run(config) == 0
    config.write_text(config.read_text().replace('login = "lin"\nname', 'login = "lin"\ndisabled = true\nname'))
    assert run(config) == 0
    assert grafana.login("lin")["isDisabled"]
    grafana.log.clear()
    assert run(config) == 0
    assert grafana.writes == []


def test_an_organisation_of_somebody_elses_takes_its_administrator_in(grafana, config):
    number = grafana.new_org("闽侯园区", creator=77)
    grafana.users[77] = {"id": 77, "login": "owner", "name": "", "email": "", "isDisabled": False}
    assert run(config) == 0
    assert grafana.orgs[number]["members"][1] == "Admin"
    assert grafana.orgs[number]["members"][77] == "Admin"


def test_a_member_elsewhere_is_named(grafana, config, capsys):
    assert run(config) == 0
    grafana.org("Main Org.")["members"][grafana.login("lin")["id"]] = "Viewer"
    capsys.readouterr()
    assert run(config) == 0
    assert "leave   user lin (also a member of Main Org., which is not declared" in capsys.readouterr().out


# --- killed, refused, unreachable ---------------------------------------------------------------------------------


def test_killed_half_way_it_is_simply_started_again(grafana, config, whole):
    started = threading.Event()
    processes = []

    def kill():
        assert started.wait(60)
        processes[-1].kill()

    grafana.at_write = (7, kill)
    command = command_line("grafana", "sync", str(config))
    processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    started.set()
    assert processes[0].wait(timeout=120) == -signal.SIGKILL
    grafana.at_write = None
    assert run(config) == 0
    assert shape(grafana) == whole


@pytest.mark.parametrize("write", [3, 16], ids=["user", "token"])
def test_a_write_whose_answer_was_lost_is_not_done_twice(config, grafana, whole, write):
    assert cut_off(grafana, config, write) == 1
    assert shape(grafana) == whole


@pytest.mark.soak
def test_wherever_it_was_cut_off_the_next_run_ends_at_the_same(config, grafana, whole):
    for write in itertools.count(1):
        another = FakeGrafana()
        other = config.with_name(f"{write}.toml")
        other.write_text(config.read_text().replace(grafana.url, another.url).replace("tokens/", f"tokens{write}/"))
        done = cut_off(another, other, write)
        another.close()
        assert shape(another) == whole
        if done == 0:
            break
    assert write > 15


def cut_off(grafana, config, write):
    """Let a write be done and its answer be lost, and run again; the first run's exit code."""
    grafana.at_write = (write, grafana.hang_up)
    done = run(config)
    grafana.at_write = None
    assert run(config) == 0
    assert run(config, "--dry-run") == 0
    return done


@pytest.fixture
def whole(config, grafana):
    """What there is after a run that nobody disturbed."""
    quiet = FakeGrafana()
    other = config.with_name("quiet.toml")
    other.write_text(config.read_text().replace(grafana.url, quiet.url).replace("tokens/", "quiet/"))
    assert run(other) == 0
    quiet.close()
    return shape(quiet)


def shape(grafana):
    """What there is, without the numbers that Grafana gives."""
    return {
        org["name"]: {
            "members": sorted((grafana.users[n]["login"], role) for n, role in org["members"].items()),
            "dashboards": org["dashboards"],
            "teams": [(t["name"], [grafana.users[n]["login"] for n in t["members"]]) for t in org["teams"].values()],
            "accounts": [(a["name"], len(a["tokens"])) for a in org["accounts"].values()],
            "playlists": [one["spec"] for one in org["playlists"].values()],
            "preferences": org["preferences"],
            "sources": [(s["user"], s["secureJsonData"]) for s in org["sources"].values()],
        }
        for org in grafana.orgs.values()
    }


@pytest.mark.parametrize(
    "case",
    [
        ("createOrg", 401, "organisation 闽侯园区: HTTP 401: user or password is not accepted"),
        ("createOrg", 403, "the administrator of the whole server"),
        ("createOrg", 409, "another one of that name"),
        ("createFolder", 412, "folder smartpark of organisation 闽侯园区: HTTP 412: somebody changed it"),
        ("postDashboard", 500, "HTTP 500: Grafana itself failed; its log says why"),
        ("createPlaylist", 404, "Grafana 13 or newer has this address"),
        ("createTeam", 400, "Grafana does not take it"),
    ],
)
def test_a_refusal_says_what_was_wanted_and_what_it_means(grafana, config, capsys, case):
    operation, status, said = case
    grafana.wrong[operation] = [status]
    assert run(config) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told
    assert ADMIN[1] not in told


def test_a_refusal_stands_in_the_document_too(grafana, config, capsys):
    grafana.wrong["postDashboard"] = [500]
    assert run(config, "--json") == 1
    told = steps(capsys)
    assert "HTTP 500" in told["error"]
    assert told["steps"][0]["action"] == "make"


def test_a_wrong_password_and_no_administrator_are_two_things(grafana, config, tmp_path, capsys):
    (tmp_path / "admin.password").write_text("wrong")
    assert run(config) == 1
    assert "HTTP 401: user or password is not accepted" in capsys.readouterr().err
    grafana.users[9] = {"id": 9, "login": "lowly", "email": "", "password": "wrong"}
    config.write_text(config.read_text().replace("[grafana]", '[grafana]\nuser = "lowly"', 1))
    assert run(config) == 1
    assert "HTTP 403: this user may not do that" in capsys.readouterr().err


@pytest.mark.parametrize(
    "case",
    [
        ("version", "11.6.0", "this is Grafana 11.6.0; 12 or newer is needed"),
        ("database", "failing", "its own database is 'failing'"),
    ],
)
def test_a_server_that_is_too_old_or_ill_is_refused(grafana, config, capsys, case):
    setting, value, said = case
    setattr(grafana, setting, value)
    assert run(config) == 1
    assert said in capsys.readouterr().err
    assert grafana.writes == []


def test_an_unreachable_server_and_one_that_is_no_grafana(config, grafana, receiver_of_hooks, capsys):
    receiver_of_hooks.close()
    text = config.read_text()
    config.write_text(text.replace(grafana.url, receiver_of_hooks.base))
    assert run(config) == 1
    assert "cannot be reached" in capsys.readouterr().err
    config.write_text(text.replace(grafana.url, f"{grafana.url}/below"))
    assert run(config) == 1
    assert "HTTP 404" in capsys.readouterr().err
    grafana.strange.clear()


def test_a_certificate_must_be_trusted(config, grafana, tmp_path, capsys):
    authority = Authority(tmp_path)
    issued = authority.issue("grafana")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    secure = FakeGrafana(tls=context)
    text = config.read_text().replace(grafana.url, secure.url)
    config.write_text(text)
    assert run(config) == 1
    assert "the certificate is not trusted (ca_file names who signs it)" in capsys.readouterr().err
    assert secure.log == []
    config.write_text(text.replace("[grafana]", f'[grafana]\nca_file = "{authority.ca_file}"', 1))
    assert run(config) == 0
    secure.close()
    assert secure.strange == []


# --- the file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        ('url = "', 'url = "http://admin:x@', "credentials do not belong in an address"),
        ('login = "lin"\n\n[[organisation.team', "[[organisation.team", "required"),
        ('members = ["chen", "lin"]', 'members = ["wang"]', "wang is no member of the organisation"),
        ('team = "运维班 & 值班"', 'team = "夜班"', "which the organisation does not have"),
        ('role = "smartpark_grafana_minhou"', 'role = "postgres"', "String should match pattern"),
        ('role = "smartpark_grafana_minhou"', 'role = "smartpark_grafana_minhou"\npassword = "x"', "unknown key"),
        ('name = "Fuzhou / South 100%"', 'name = "闽侯园区"', "闽侯园区 stands there twice"),
        ('login = "lin"\nname', 'login = "admin"\nname', "is not changed by it"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_before_anybody_is_asked(grafana, config, capsys, case):
    old, new, said = case
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new, 1))
    assert run(config) == 2
    assert said in capsys.readouterr().err
    assert grafana.log == []


def test_somebody_in_no_organisation_would_land_in_the_first_and_is_refused():
    document = tomllib.loads(TWO_PARKS.format(url="http://x", folder="/f"))
    document["organisation"][0]["member"] = [{"login": "chen"}]
    document["organisation"][0]["team"] = []
    document["organisation"][0]["folder"] = []
    with pytest.raises(InvalidFileError) as refused:
        parse_model(document, Declared, file="x.toml")
    assert "lin is a member of no organisation" in str(refused.value.problems[0])


def test_a_missing_secret_is_named_without_asking(grafana, config, tmp_path, capsys):
    (tmp_path / "minhou.password").unlink()
    assert run(config) == 1
    assert "minhou.password cannot be read" in capsys.readouterr().err


def test_what_the_file_stands_on_is_what_the_provisioned_files_say():
    yaml = pytest.importorskip("yaml")
    folder = ROOT / "dashboards" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "park.yaml").read_text())["datasources"]
    declared = parse_model(
        {"host": source["url"], "role": source["user"], "tls": "disable", "password_env": "X"},
        Declared.model_fields["organisation"]
        .annotation.__args__[0]
        .model_fields["data_source"]
        .annotation.__args__[0],
        file="x",
    )
    ours = source_content(declared)
    assert ours["jsonData"] == source["jsonData"]
    assert {key: source[key] for key in ("name", "uid", "type", "access", "isDefault")} == {
        key: ours[key] for key in ("name", "uid", "type", "access", "isDefault")
    }
    providers = yaml.safe_load((folder / "dashboards" / "smartpark.yaml").read_text())["providers"]
    assert {(p["folderUid"], p["folder"]) for p in providers} == set(FOLDERS.values())
    assert set(ROUND) <= set(DOCUMENTS)


def test_the_example_of_the_documentation_is_a_file_that_is_taken(grafana, tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "grafana.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "grafana.toml").write_text(example.replace("http://127.0.0.1:3000", grafana.url))
    folder = tmp_path / "secrets" / "grafana"
    folder.mkdir(parents=True)
    for name, password in (("admin", ADMIN[1]), ("chen", "first"), ("minhou", "other")):
        (folder / f"{name}.password").write_text(password)
    monkeypatch.chdir(tmp_path)
    assert run(Path("grafana.toml"), "--dry-run") == 3
    assert run(Path("grafana.toml")) == 0
    assert set(grafana.org("闽侯园区")["dashboards"]) == set(DOCUMENTS)
    assert "problem" not in capsys.readouterr().out


def test_the_command_loads_no_client_before_it_runs():
    script = "import sys; from smartpark.cli import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"grafana_client", "niquests", "tqdm"} & set(done.stdout.split()) == set()
