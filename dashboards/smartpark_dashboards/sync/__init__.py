"""`smartpark grafana sync`: brings a Grafana server to what one TOML file declares.

`declared` is the file, `link` the way to the server; `people`, `objects` and `sharing` compare and write, `run` is
the order. What exists is compared first and written only where it differs, so a second run writes nothing, and
one that was killed is simply started again.

What it takes away: nothing but entries of lists that the file states whole (members of a team, permissions of a
folder), and a token of its own whose secret was lost. Organisations, people, teams, folders, dashboards and accounts
that the file does not name are left alone and, where it matters who may see what, named. What Grafana has from files
(provisioning) belongs to the files: it is left alone, and said so.
"""
