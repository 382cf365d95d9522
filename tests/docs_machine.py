"""A folder that stands for a machine of which the reader is root: its /etc, /opt and /var/backups lie below it.

`systemd-sysusers` and `systemctl enable` are systemd's own where it is installed, with that folder as their root;
what it would start is only looked for. Nothing outside of the folder is touched.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Final

_PLACES: Final = re.compile(r"(?<![\w.}])/(?=(?:etc|opt|var/backups)(?:/|\s|$))")
_INSTALL: Final = """
import os, re, sys
accounts = dict(re.findall(r"^(\\w+):[^:]*:(\\d+):", open(os.environ["MACHINE"] + "/etc/passwd").read(), re.M))
words, given = [], iter(sys.argv[1:])
for word in given:
    if word in ("-o", "-g"):
        account = accounts[next(given)]
        words += [word, account] if os.getuid() == 0 else []
    else:
        words.append(word)
os.execv(PROGRAM, [PROGRAM, *words])
"""
_SYSUSERS: Final = """
cat "$MACHINE"/etc/sysusers.d/*.conf |
    awk '$1 == "u" { print $2 ":x:" $3 ":" $3 "::/:/bin/false" }' >"$MACHINE/etc/passwd"
"""
"""Where there is no systemd."""
_SYSTEMCTL: Final = """
verb=$1
shift
units=$MACHINE/etc/systemd/system
for unit; do
    case $unit in
        --now) continue ;;
        *@*) file=$units/${unit%%@*}@.${unit##*.} ;;
        *) file=$units/$unit ;;
    esac
    [ -f "$file" ] || { echo "there is no unit $unit" >&2; exit 5; }
    [ "$verb" != enable ] || grep -q '^\\[Install\\]' "$file" || { echo "$unit cannot be enabled" >&2; exit 1; }
    [ "$verb" != enable ] || [ -z "$SYSTEMCTL" ] || "$SYSTEMCTL" --quiet --root="$MACHINE" enable "$unit"
done
case $verb in daemon-reload | enable | start | stop | restart | status | list-timers) ;; *) exit 2 ;; esac
"""


def on_the_machine(command: str, machine: Path) -> str:
    """A command with the machine's places below its folder."""
    return _PLACES.sub(f"{machine}/", command)


def lay_out_machine(machine: Path, programs: Path, *, units: Path | None) -> None:
    """Make the folder, with the units that were put there before, and its programs, which find it by MACHINE."""
    for name in ("etc/sysusers.d", "etc/systemd/system", "opt", "var/backups"):
        (machine / name).mkdir(parents=True)
    if units is not None:
        shutil.copytree(units, machine / "etc/systemd/system", dirs_exist_ok=True)
        (machine / "opt/smartpark-files").mkdir()
    sysusers = shutil.which("systemd-sysusers") if os.getuid() == 0 else None
    scripts = {
        "systemctl": f"SYSTEMCTL={shutil.which('systemctl') or ''}\n{_SYSTEMCTL}",
        "systemd-sysusers": _SYSUSERS if sysusers is None else f'exec {sysusers} --root="$MACHINE"\n',
    }
    for name, text in scripts.items():
        _program(programs / name, f"#!/bin/sh\nset -eu\n{text}")
    install = _INSTALL.replace("PROGRAM", repr(shutil.which("install")))
    _program(programs / "install", f"#!{sys.executable} -S{install}")


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
