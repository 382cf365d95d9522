"""`smartpark submissions`: submit a period, look at submissions, verify one from files, look after the key."""

import argparse
from collections.abc import Callable
from pathlib import Path

from smartpark.cli import Subparsers, command_group

_WHERE = "The database is the one SMARTPARK_DSN names."
_SEAL = f"""\
PERIOD is a year 2026, a month 2026-10 or a day 2026-10-31 that is over. What holds of it is sealed with the key in
the file SMARTPARK_SEAL_KEY_FILE. What is missing or incomplete is listed, and has to be accepted with
--accept-incomplete; nothing is submitted otherwise. A correction that comes later is a further revision beside it;
the period can be submitted again, under the next number. {_WHERE}

  smartpark submissions seal minhou-demo 2026-10 --by chen --note 10月月报
  smartpark submissions seal minhou-demo 2026-10 --by chen --accept-incomplete
"""
_LIST = f"""\
{_WHERE}

  smartpark submissions list --park minhou-demo
"""
_SHOW = f"""\
CODE is PARK/PERIOD/NUMBER. With --into, everything by which others verify it is written into a folder: manifest.json
as it was signed, manifest.sig, rows.ndjson, key.pem. With --corrections, what has changed since. {_WHERE}

  smartpark submissions show minhou-demo/2026-10/1
  smartpark submissions show minhou-demo/2026-10/1 --corrections
  smartpark submissions show minhou-demo/2026-10/1 --into minhou-2026-10
"""
_VERIFY = """\
Asks no database and no server: signature, manifest and rows are compared with each other. The key in the folder came
with the rest; --key names the public key as you had it from the sealer, which proves more. Every complaint is told;
the exit code is 1 where there is one. With openssl alone: docs/aggregates.md.

  smartpark submissions verify minhou-2026-10 --key seal.pem
"""
_MAKE = """\
Makes an Ed25519 key in a new file that only this account reads (PKCS #8, as openssl reads it), and prints its public
half. An existing file is left alone. Keep a copy where nobody else gets at it: whoever has it submits in your name.

  smartpark submissions key make --into /etc/smartpark/seal.key
"""
_KEYS = f"""\
Public halves of the keys that sealed in this database, and of the sources it pulls from. {_WHERE}

  smartpark submissions key list
"""
_RETIRE = f"""\
Nothing is sealed with the key from now on; what it sealed stays verifiable. To rotate: make a new key, start the
server with it, retire the old one. {_WHERE}

  smartpark submissions key retire ed25519-66687aadf862bd77
"""


Runs = Callable[[str], Callable[[argparse.Namespace], int]]
"""Makes what a verb runs, from the name of a function in `submission_terminal`; imports that only when it runs."""


def register_submissions(subparsers: "Subparsers[argparse.ArgumentParser]", runs: Runs) -> None:
    """Add the verbs of ``smartpark submissions``."""
    group = command_group(subparsers, "submissions", "periods that were handed in, signed")
    seal = _verb(group, "seal", "submit a period of a park", "Submit a period of a park. 上报", _SEAL)
    seal.add_argument("park", help="code of the park")
    seal.add_argument("period", help="2026, 2026-10 or 2026-10-31")
    seal.add_argument("--by", required=True, metavar="NAME", help="whose word it is")
    seal.add_argument("--note", default="", help="stands in the manifest")
    seal.add_argument("--accept-incomplete", action="store_true", help="submit although numbers are missing")
    seal.set_defaults(run=runs("seal"))
    listed = _verb(group, "list", "submissions there are", "List submissions. 上报记录", _LIST)
    listed.add_argument("--park", help="only of this park")
    listed.set_defaults(run=runs("list_all"))
    show = _verb(group, "show", "one submission, what was corrected since, or its files", "Show one. 查看上报", _SHOW)
    show.add_argument("code", metavar="CODE", help="PARK/PERIOD/NUMBER")
    show.add_argument("--corrections", action="store_true", help="what has changed since")
    show.add_argument("--into", metavar="FOLDER", type=Path, help="write the files by which others verify it")
    show.set_defaults(run=runs("show"))
    verify = _verb(group, "verify", "verify a submission from files alone", "Verify from files. 验签", _VERIFY)
    verify.add_argument("folder", type=Path, help="as `show --into` wrote it")
    verify.add_argument("--key", metavar="FILE", type=Path, help="public key in PEM, as you had it from the sealer")
    verify.set_defaults(run=runs("verify_folder"))
    _register_keys(group, runs)


def _register_keys(group: "Subparsers[argparse.ArgumentParser]", runs: Runs) -> None:
    parser: argparse.ArgumentParser = group.add_parser(
        "key", help="the key that seals: make, list, retire", description="Look after the key that seals. 签名密钥"
    )
    verbs: Subparsers[argparse.ArgumentParser] = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    make = _verb(verbs, "make", "make a key in a new file", "Make a key. 生成密钥", _MAKE)
    make.add_argument("--into", metavar="FILE", type=Path, required=True, help="new file for it")
    make.set_defaults(run=runs("make"))
    listed = _verb(verbs, "list", "public halves of keys", "List public halves of keys. 公钥列表", _KEYS)
    listed.set_defaults(run=runs("list_keys"))
    retire = _verb(verbs, "retire", "seal no more with a key", "Seal no more with a key. 停用密钥", _RETIRE)
    retire.add_argument("key_id", metavar="KEY", help="its name")
    retire.set_defaults(run=runs("retire"))


def _verb(
    group: "Subparsers[argparse.ArgumentParser]", name: str, summary: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = group.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
