"""The story of `smartpark demo`: from an empty folder to a park at work, and to the comparison at the end.

The supervisor composes commands and knows no other room: database, broker, schema, catalogue; then ingest, derive and
pages; then the park, which opens its PLC and waits; then the agents, whose ready files let the park begin. Nothing
waits by sleeping: each step has a file, an address or an exit code to wait for. At the end of a run with `--for` the
park stops first, the agents' spools run empty, derive has nothing left, and only then `smartpark verify` judges.
"""

import json
import os
import shlex
import sys
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartpark.catalogue import Catalogue, load_catalogue
from smartpark.clock import from_us

from smartpark_simulators.broker import speaks_mqtt5
from smartpark_simulators.demo.agents import edge_of, write_agents
from smartpark_simulators.demo.faults_and_alerts import compare, judged_since
from smartpark_simulators.demo.layout import EDGES, Layout, Ports
from smartpark_simulators.demo.options import DemoOptions
from smartpark_simulators.demo.processes import Child, DemoError, Household, ask, parse_object, run_once
from smartpark_simulators.demo.report import judge
from smartpark_simulators.demo.visitor import answers, ask_page, has_desktop, mentions_value, shown, table
from smartpark_simulators.parks import DEMO_PARK

_START_S = 120.0
_HISTORY_S = 180.0
_DRAIN_S = 180.0
_DESK = (("chen", "陈工", "Chen", "manager"), ("lin", "林工", "Lin", "deputy"))
"""People of the demo's desk: code, name, name in English, duty."""
_DESK_FROM = "2020-01-01"


@dataclass(slots=True)
class Demo:
    """One start of the demo."""

    options: DemoOptions
    layout: Layout
    started: float = field(default_factory=time.monotonic)
    household: Household = field(init=False)
    catalogue: Catalogue = field(init=False)
    ports: Ports = field(init=False)
    environment: dict[str, str] = field(init=False)
    database: str = ""
    owns_database: bool = False
    first_value_s: float | None = None
    alerts: Child = field(init=False)

    def __post_init__(self) -> None:
        self.household = Household(self.tell)
        self.catalogue = load_catalogue(DEMO_PARK)
        self.ports = Ports.choose(self.options.port)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SMARTPARK_BROKER_")}
        self.environment |= {
            "SMARTPARK_ATTACHMENTS": str(self.layout.attachments),
            "SMARTPARK_CONSOLE_KEY_FILE": str(self.layout.console_key),
        }

    def tell(self, text: str) -> None:
        """Say what is happening."""
        sys.stderr.write(f"[{time.monotonic() - self.started:6.1f} s] {text}\n")
        sys.stderr.flush()

    def run(self) -> int:
        """Everything, in order."""
        self.layout.prepare()
        self.tell(f"data in {self.layout.folder}")
        broker = self._start("broker", *self._broker_arguments())
        park = self._start_devices()
        self._start_database()
        self._prepare_database()
        self._wait_for_port(broker)
        self._start_platform()
        self._wait_for_history(park)
        self._start_alerts()
        self._fill_desk()
        # After readings and promises: what is kept of an hour is not computed again.
        self._start("outlook", "outlook", "run")
        if self.options.run_for_s is None:
            self._stay()
        self._live(self.options.run_for_s or 0.0)
        return self._finish(park)

    def end(self) -> None:
        """Stop everything; data stays, except that of a temporary folder."""
        self.household.end_all()
        if self.owns_database:
            ask(("database", "stop", "--data", str(self.layout.database)), self.environment)

    # --- starting -----------------------------------------------------------------------------------

    def _broker_arguments(self) -> tuple[str, ...]:
        return (
            *("simulate", "broker", "--port", str(self.ports.broker)),
            *("--data", str(self.layout.broker), "--users", str(self.layout.users)),
            *("--kind", self.options.broker_kind),
        )

    def _start_database(self) -> None:
        if self.environment.get("SMARTPARK_DSN"):
            self.tell("database: the one SMARTPARK_DSN names")
            return
        self.owns_database = True
        arguments = ("database", "start", "--data", str(self.layout.database), "--json")
        found = parse_object(self._once(*arguments), of="smartpark database start")
        self.environment["SMARTPARK_DSN"] = found["dsn"]
        self.database = str(found["database"])
        self._start("database", "database", "watch", "--data", str(self.layout.database))
        self.tell(f"database: {self.database}")

    def _prepare_database(self) -> None:
        said = self._once("migrate").strip().splitlines()
        self.database = self.database or (said[0] if said else "")
        self.tell(f"schema: {said[-1] if said else 'ready'}")
        self._refuse_foreign_database()
        self.tell(f"catalogue: {self._once('catalog', 'load', str(DEMO_PARK)).strip().splitlines()[-1]}")

    def _refuse_foreign_database(self) -> None:
        if self.owns_database or self.layout.adopted_database.exists():
            return
        loaded = json.loads(self._once("catalog", "show", "--json") or "[]")
        if loaded:
            raise DemoError(
                "the database that SMARTPARK_DSN names already holds a park, and this folder "
                f"({self.layout.folder}) does not know it. Use an empty database, or --data with the folder of the "
                "demo that filled it"
            )
        self.layout.adopted_database.write_text(json.dumps({"park": self.catalogue.park.code}), encoding="utf-8")

    def _wait_for_port(self, broker: Child) -> None:
        self.household.wait_until(
            lambda: answers(self.ports.broker),
            what=f"an answer of the broker (see {broker.log})",
            timeout_s=_START_S,
        )
        which = "mosquitto" if speaks_mqtt5(self.options.broker_kind) else "rumqttd: passwords, but no topic rights"
        self.tell(f"broker on port {self.ports.broker} ({which})")

    def _start_devices(self) -> Child:
        """Start park and agents, which need no database: they come up while it does, and wait for the rest."""
        park = self._start("park", *self._park_arguments(), user="devices")
        protocol = "5" if speaks_mqtt5(self.options.broker_kind) else "3.1.1"
        write_agents(self.layout, self.ports, self.catalogue, protocol=protocol)
        for edge in EDGES:
            ready = str(self.layout.ready(edge))
            self._start(edge, "edge", "run", str(self.layout.edge(edge)), "--ready-file", ready)
        return park

    def _start_platform(self) -> None:
        ready = self.layout.ready
        ingest = ("ingest", "run", "--workers", "2", "--ready-file", str(ready("ingest")))
        self._start("ingest", *ingest, user="ingest")
        self._start("derive", "derive", "run")
        self._start("pages", "api", "serve", "--port", str(self.ports.pages))
        for name in ("ingest", *EDGES):
            self.household.wait_until(ready(name).exists, what=f"{name} being ready", timeout_s=_START_S)
            self.tell(f"{name} is ready")
        self.household.wait_until(lambda: self._page("/readyz") is not None, what="the page", timeout_s=_START_S)
        self.tell(f"page: {self.address}")
        if not self.options.as_json:
            self._tell_how_to_ask()

    def _start_alerts(self) -> None:
        """Watch from here on, and over the last days: the whole history, judged in the order of time."""
        since = from_us(judged_since(self.layout.ledger)).isoformat()
        self.alerts = self._start("alerts", "alerts", "run", "--no-send", "--since", since)
        self.tell(f"alerts: {self.address}alerts")

    def _tell_how_to_ask(self) -> None:
        self.layout.shell.write_text(
            f"export SMARTPARK_DSN={shlex.quote(self.environment['SMARTPARK_DSN'])}\n"
            f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n",
            encoding="utf-8",
        )
        self.layout.shell.chmod(0o600)  # a DSN that somebody gives may hold a password
        park = self.catalogue.park.code
        sys.stdout.write(
            f"\n  The park is at work: {self.address}\n"
            f"  What is wrong with it 告警收件箱: {self.address}alerts?tab=resolved\n\n"
            f"  To ask it, in another terminal 在另一个终端里提问:\n"
            f"    . {shlex.quote(shown(self.layout.shell))}\n"
            f"    smartpark indicators {park}\n\n"
        )
        sys.stdout.flush()

    def _park_arguments(self) -> tuple[str, ...]:
        return (
            *("simulate", "park", "--ledger", str(self.layout.ledger)),
            *("--broker", f"mqtt://127.0.0.1:{self.ports.broker}", "--opcua-port", str(self.ports.opcua)),
            *("--backfill-days", str(self.options.backfill_days), "--faults", self.options.faults),
            *("--seed", str(self.options.seed), "--ready-file", str(self.layout.ready("park"))),
            *("--start-when", *(str(self.layout.ready(name)) for name in ("ingest", *EDGES))),
        )

    def _start(self, name: str, *arguments: str, user: str | None = None) -> Child:
        environment = dict(self.environment)
        if user is not None:
            environment |= {
                "SMARTPARK_BROKER_URL": f"mqtt://127.0.0.1:{self.ports.broker}",
                "SMARTPARK_BROKER_USERNAME": user,
                "SMARTPARK_BROKER_PASSWORD_FILE": str(self.layout.password(user)),
            }
        return self.household.start(Child(name, arguments, environment, self.layout.log(name)))

    def _once(self, *arguments: str) -> str:
        return run_once(arguments, self.environment, log=self.layout.log("setup"))

    # --- running ------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self.ports.pages}/"

    def _wait_for_history(self, park: Child) -> None:
        self.household.wait_until(self._has_value, what="the first value in the database", timeout_s=_START_S)
        self.tell(f"first value in the database after {self.first_value_s:.1f} s")
        if not self.options.is_headless:
            webbrowser.open(self.address) if has_desktop() else None
        told = [""]

        def is_live() -> bool:
            words = park.last_words(1)
            if words != told[0]:
                told[0] = words
                self.tell(words)
            return self.layout.ready("park").exists()

        self.household.wait_until(is_live, what="the end of the history", timeout_s=_HISTORY_S)

    def _has_value(self) -> bool:
        found = self._page(f"/api/v1/parks/{self.catalogue.park.code}/latest")
        if found is None or not mentions_value(found):
            return False
        self.first_value_s = time.monotonic() - self.started
        return True

    def _fill_desk(self) -> None:
        """Give the park a project manager, a deputy and made-up load requests; once, and after the readings."""
        if self.layout.desk.exists():
            return
        park, draft = self.catalogue.park.code, self.layout.desk.with_suffix(".new")
        for person, name, name_en, duty in _DESK:
            self._once("requests", "people", "put", person, "--name", name, "--name-en", name_en)
            self._once("requests", "managers", "put", park, person, "--duty", duty, "--from", _DESK_FROM)
        nodes = [f"transformer/{one.code}" for one in self.catalogue.transformer]
        who = ("--park", park, "--manager", _DESK[0][0], "--largest", "500", "--count", "45")
        self._once("simulate", "desk", str(draft), *who, *(("--node", *nodes) if nodes else ()))
        said = self._once("requests", "import", str(draft), "--by", _DESK[0][0])
        draft.rename(self.layout.desk)
        self.tell(f"load requests, made up: {said.strip().splitlines()[-1]}; see {self.address}requests")

    def _page(self, path: str) -> Any:
        return ask_page(f"{self.address.rstrip('/')}{path}")

    def _stay(self) -> None:
        self.tell("live; Ctrl-C stops everything, the next start goes on from here")
        while True:
            self.household.look_after()
            time.sleep(0.2)

    def _live(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        next_word = 0.0
        while (left := end - time.monotonic()) > 0:
            self.household.look_after()
            if not self.options.as_json and time.monotonic() > next_word:
                self.tell(f"live, {left:.0f} s to go")
                next_word = time.monotonic() + 10
            time.sleep(min(0.2, left))

    # --- ending -------------------------------------------------------------------------------------

    def _finish(self, park: Child) -> int:
        self.tell("stopping the park")
        if self.household.end(park, timeout_s=60) != 0:
            raise DemoError(f"the park did not stop cleanly:\n{park.last_words()}")
        self._drain("the agents' spools", self._spools_are_empty)
        self._drain("derive", self._nothing_is_stale)
        self.household.end(self.alerts)
        self._drain("alerts", self._all_is_judged)
        self.tell("comparing with what really happened")
        done = ask(("verify", str(self.layout.ledger), "--json"), self.environment, timeout_s=120)
        found = parse_object(done.stdout, of=f"smartpark verify {done.stderr.strip()}")
        points = list(self.catalogue.points())
        on_plc = {device.code for device in self.catalogue.device if device.model is None}
        found |= {
            "seconds_to_first_value": round(self.first_value_s or 0.0, 1),
            "seconds": round(time.monotonic() - self.started, 1),
            "opcua_points": sum(point.device in on_plc for point in points),
            "mqtt_points": sum(point.device not in on_plc for point in points),
            "agents": {edge: sum(edge_of(device) == edge for device in self.catalogue.device) for edge in EDGES},
            "alerts": compare(self.layout.ledger, self.catalogue, self._alerts_on_record()),
            # Of alerts too, which was ended before its record was judged.
            "restarts": {
                child.name: child.restarts for child in (*self.household.children, self.alerts) if child.restarts
            },
        }
        complaints = judge(found)
        for complaint in complaints:
            self.tell(f"WRONG: {complaint}")
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n" if self.options.as_json else table(found))
        sys.stdout.flush()
        return 1 if complaints else 0

    def _drain(self, what: str, is_done: Callable[[], bool]) -> None:
        self.tell(f"waiting for {what}")
        if not self.household.wait_until(is_done, what=what, timeout_s=_DRAIN_S, fatal=False):
            self.tell(f"{what}: not finished within {_DRAIN_S:.0f} s; comparing anyway, so expect differences")

    def _spools_are_empty(self) -> bool:
        for edge in EDGES:
            done = ask(("edge", "spool", str(self.layout.edge(edge)), "--json"), self.environment)
            if done.returncode or parse_object(done.stdout, of="smartpark edge spool")["pending_batches"]:
                return False
        return True

    def _all_is_judged(self) -> bool:
        # Begun anew, as after a kill: that must change nothing of what is on record.
        return ask(("alerts", "run", "--once", "--no-send"), self.environment, timeout_s=_DRAIN_S).returncode == 0

    def _alerts_on_record(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self._page(f"/api/v1/alerts?limit=1000{f'&after={after}' if after else ''}")
            if page is None:
                raise DemoError(f"the pages do not answer what alerts there are (see {self.layout.log('pages')})")
            found += page["alerts"]
            after = page["next"]
        return found

    def _nothing_is_stale(self) -> bool:
        return ask(("derive", "run", "--once"), self.environment, timeout_s=_DRAIN_S).returncode == 0
