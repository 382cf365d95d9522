"""Alerts in the database: readings that came, rules, alerts as events and rows, silences, whom to tell and what.

What other rooms use is listed here. Every function takes an open connection first and runs as one transaction, or as
part of the caller's; times are given by the caller, nothing here looks at a clock or decides what an alert does.

- Readings that came: `register_watch` (once, outside a transaction), `alerting_turn`, then `claim_changes` and, with
  what came of them in one transaction, `delete_changes`; `keep_watch` now and then, `unregister_watch` in the end.
  `fetch_span_readings` reads what changes tell of.
- Alerts: `begin_alert`, `append_events`, or many at once with `write_alerts`; `forget_alerts` for what never fired.
  `read_current` is what an evaluation starts from, `alerts_between` what late data is compared with.
- Inbox: `read_alerts` page by page (`place_of`), `read_alert`, `read_events`, `similar_alerts`; what
  changed, live: LISTEN on `CHANNEL`, or `read_changed` after `newest_change`.
- Rules, silences, contacts and routes: `put_…`, `read_…`. Whoever puts them through adds the line to the audit log
  (`smartpark_storage.access.add_audit`) in the same transaction.
- Telling people: `plan_intents` with the events that say so (`collecting_intents` and `extend_intents` for what still
  waits for more), `claim_intents` or `claim_next`, then `sent_intents`, `retry_intents`,
  `give_up_intents` or `withdraw_intents`.
"""

from smartpark_storage.alerts.contacts import (
    put_contact,
    put_route,
    read_contacts,
    read_placed_routes,
    read_routes,
)
from smartpark_storage.alerts.feed import (
    PATIENCE,
    Backlog,
    Change,
    Watch,
    Watcher,
    alerting_turn,
    claim_changes,
    delete_changes,
    is_alerting,
    keep_watch,
    read_backlog,
    read_watchers,
    register_watch,
    unregister_watch,
)
from smartpark_storage.alerts.intents import (
    LEASE,
    ContactState,
    Intent,
    NewIntent,
    claim_intents,
    give_up_intents,
    intent_state,
    next_due,
    plan_intents,
    read_intents,
    retry_intents,
    sent_intents,
    withdraw_intents,
)
from smartpark_storage.alerts.outgoing import (
    Extension,
    claim_next,
    collecting_intents,
    extend_intents,
    planned_since,
    told_contacts,
    told_facts,
)
from smartpark_storage.alerts.reading import (
    CHANNEL,
    alerts_between,
    newest_change,
    read_alert,
    read_alerts,
    read_alerts_by_id,
    read_changed,
    read_current,
    read_events,
    read_events_of,
    read_open,
    similar_alerts,
)
from smartpark_storage.alerts.rows import (
    NO_FILTER,
    OPEN,
    AlertFilter,
    AlertWrite,
    Below,
    OpenAlertError,
    StaleAlertError,
    StoredAlert,
    UnknownAlertError,
    Written,
    place_of,
)
from smartpark_storage.alerts.rules import (
    PutRule,
    RuleVersion,
    put_rules,
    read_rules,
    retire_rule,
    rule_history,
)
from smartpark_storage.alerts.silences import (
    StoredSilence,
    active_silences,
    create_silence,
    end_silence,
    read_silences,
)
from smartpark_storage.alerts.spans import (
    fetch_span_readings,
)
from smartpark_storage.alerts.writing import (
    append_events,
    begin_alert,
    forget_alerts,
    write_alerts,
)

__all__ = [
    "CHANNEL",
    "LEASE",
    "NO_FILTER",
    "OPEN",
    "PATIENCE",
    "AlertFilter",
    "AlertWrite",
    "Backlog",
    "Below",
    "Change",
    "ContactState",
    "Extension",
    "Intent",
    "NewIntent",
    "OpenAlertError",
    "PutRule",
    "RuleVersion",
    "StaleAlertError",
    "StoredAlert",
    "StoredSilence",
    "UnknownAlertError",
    "Watch",
    "Watcher",
    "Written",
    "active_silences",
    "alerting_turn",
    "alerts_between",
    "append_events",
    "begin_alert",
    "claim_changes",
    "claim_intents",
    "claim_next",
    "collecting_intents",
    "create_silence",
    "delete_changes",
    "end_silence",
    "extend_intents",
    "fetch_span_readings",
    "forget_alerts",
    "give_up_intents",
    "intent_state",
    "is_alerting",
    "keep_watch",
    "newest_change",
    "next_due",
    "place_of",
    "plan_intents",
    "planned_since",
    "put_contact",
    "put_route",
    "put_rules",
    "read_alert",
    "read_alerts",
    "read_alerts_by_id",
    "read_backlog",
    "read_changed",
    "read_contacts",
    "read_current",
    "read_events",
    "read_events_of",
    "read_intents",
    "read_open",
    "read_placed_routes",
    "read_routes",
    "read_rules",
    "read_silences",
    "read_watchers",
    "register_watch",
    "retire_rule",
    "retry_intents",
    "rule_history",
    "sent_intents",
    "similar_alerts",
    "told_contacts",
    "told_facts",
    "unregister_watch",
    "withdraw_intents",
    "write_alerts",
]
