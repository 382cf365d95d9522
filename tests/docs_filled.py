"""What a reader types where the documents only name a command, or leave something in capitals to the reader.

Each line is a whole command; they are run in this order by tests/integration/test_docs_commands_run.py, before the
park and with the files of `docs_place`. What is made on the way and cannot be known before stands in braces.
"""

import itertools
from collections.abc import Sequence
from typing import Final

from docs_commands import Command
from docs_reading import OF_PLACEHOLDERS, groups, parser_of, words_of

FILLED: Final = """
scripts/backup now
scripts/init-secrets --host park.example --edge edge-c
smartpark migrate
smartpark catalog check park.toml
smartpark catalog load park.toml
smartpark catalog show minhou-demo
smartpark factors check own.toml
smartpark factors load own.toml
smartpark factors list
smartpark factors show guideline-other-industry:anthracite:cc
smartpark edge spool agent.toml
smartpark dead list
smartpark dead show {letter}
smartpark dead replay
smartpark verify truth.sqlite
smartpark indicators minhou-demo 2026-11-22 --boundary all
smartpark explain carbon_location minhou-demo 2026-11-22
smartpark bill minhou-demo 2026-11 --flat-price 0.6 --zh --json
smartpark load-curve minhou-demo 2026-11 --boundary device/M0 --steps 20 --zh --json
smartpark ranking --year 2025 --indicator carbon_per_value_added --json
smartpark zerocarbon minhou-demo --year 2025 --json
smartpark derive mark --park minhou-demo --from 2026-11-01
smartpark derive run --once
smartpark outlook run --once
smartpark forecast minhou-demo --score
smartpark api describe
smartpark dashboards build --folder built --provisioning provisioned
smartpark database start --data postgresql
smartpark database status --data postgresql
smartpark database stop --data postgresql
smartpark simulate desk --park minhou-demo --manager chen --count 5 --days 60 requests.jsonl
smartpark requests managers put minhou-demo chen --from 2026-01-01
smartpark requests import requests.jsonl --by chen
smartpark requests kpis
smartpark requests calendar refresh
smartpark requests people list
smartpark requests managers list
smartpark headroom minhou-demo --request {request}
smartpark requests export requests.xlsx
smartpark requests managers remove minhou-demo --from 2026-01-01
smartpark notices run --once
smartpark alerts routes load routes.toml
smartpark alerts routes list
smartpark alerts rules disable power-unusual
smartpark alerts rules enable power-unusual
smartpark alerts run --once --no-send
smartpark alerts forget
smartpark submissions key make --into seal.key
SMARTPARK_SEAL_KEY_FILE=seal.key smartpark submissions seal minhou-demo 2026-10 --by chen
smartpark submissions key list
smartpark submissions list
smartpark submissions key retire {seal}
smartpark aggregates pull --into all.csv
smartpark access client add office --title 办公室
smartpark access grant client:office operator --park minhou-demo
smartpark access client list
smartpark access key admit office --file office.key --title 办公室 --role operator --scope parks:read
smartpark access key make office --scope parks:read --into office-2.key
smartpark access key list
smartpark access key rotate {key} --overlap-days 7 --into office-3.key
smartpark access key revoke {key}
smartpark access client disable office
smartpark access client enable office
smartpark access grants
smartpark access end-grant {grant}
smartpark access login-link chen
smartpark access sessions
smartpark access sessions --person chen --end-all
smartpark audit list
smartpark database backups --json
smartpark uplink check deploy/uplinks/nhjc.example.toml
smartpark uplink show deploy/uplinks/nhjc.example.toml
smartpark uplink status
smartpark database password smartpark_api --file office.key
smartpark database reader add minhou --park minhou-demo --file reader.password
smartpark database reader list
smartpark database reader remove minhou
smartpark database disconnect
smartpark ingest run --workers 2
smartpark edge run agent.toml
smartpark edge listen mqtt://127.0.0.1:1883 --seconds 1
smartpark outlook run
smartpark notices run
smartpark uplink run uplink.toml
smartpark simulate park --ledger truth.sqlite --broker mqtt://127.0.0.1:1883 --for 60 --faults all
smartpark simulate province http://127.0.0.1:8000 --into postgresql://owner@db/province --seconds 60
smartpark province pull http://127.0.0.1:8000 --source minhou --key-file province.key --into postgresql://owner@db/province
smartpark province status --into postgresql://owner@db/province
smartpark province forget minhou --yes --into postgresql://owner@db/province
smartpark database watch --data postgresql
""".strip().splitlines()

GROUPS: Final = [f"{group} --help" for group in groups()]
"""A group of commands is a name that explains itself."""

LOOKED_UP: Final = {
    "{letter}": "SELECT min(dead_letter_id) FROM smartpark.dead_letter",
    "{request}": "SELECT max(code) FROM smartpark.load_request",
    "{seal}": "SELECT max(key_id) FROM smartpark.seal_key",
    "{key}": "SELECT secret_id FROM smartpark.access_secret WHERE client = 'office' ORDER BY made_at LIMIT 1",
    "{grant}": "SELECT max(grant_id) FROM smartpark.access_grant WHERE ended_by IS NULL",
}
"""Where the database knows what stands in braces."""


def leaf_of(words: Sequence[str]) -> tuple[str, ...]:
    """Words by which a command is called, without what it works on."""
    if words[0] != "smartpark":
        return (words[0],)
    parser, _ = parser_of(words[1:])
    return tuple(parser.prog.split())


def is_filled_by(named: Command, typed: str) -> bool:
    """Whether a line is what somebody types who reads the name: the same command with all that is not in capitals."""
    words, more = words_of(named.text)[1], words_of(typed)[1]
    leaf = leaf_of(words)
    if leaf != leaf_of(more):
        return False
    # What may be left out begins with a bracket; dots stand for what is the reader's.
    certain = itertools.takewhile(lambda word: word[0] not in "[(|", words[len(leaf) :])
    return {word for word in certain if not OF_PLACEHOLDERS.search(word) and "…" not in word} <= set(more)
