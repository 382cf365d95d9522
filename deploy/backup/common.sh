# Read by scripts/backup and scripts/restore-drill: how they log in, and how values become text.

# The password goes from its file into one of libpq's own form: in no command line, no variable, no log.
log_in() {
    export PGDATABASE="${PGDATABASE:-smartpark}" PGAPPNAME="smartpark backup" PGCONNECT_TIMEOUT=10
    # So that the same row is the same text on every server.
    export PGOPTIONS="-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c statement_timeout=0 -c lock_timeout=0 -c row_security=off"
    passing=$(mktemp -d)
    trap 'rm -rf "$passing"' EXIT
    # A shell that a signal ends forgets what it was to do last; one that hears it does not.
    trap 'exit 143' TERM INT HUP
    [ -n "${SMARTPARK_DSN_PASSWORD_FILE:-}" ] || return 0
    [ -r "$SMARTPARK_DSN_PASSWORD_FILE" ] || die "$SMARTPARK_DSN_PASSWORD_FILE cannot be read"
    sed 's/[\\:]/\\&/g; s/^/*:*:*:*:/' "$SMARTPARK_DSN_PASSWORD_FILE" >"$passing/passwords"
    export PGPASSFILE="$passing/passwords"
}

# Runs a command so that a signal is heard while it runs, and passed on by `$1`, given the number of its process. Leaves
# its exit code in `code`, and `stopped` empty or not. What a signal does afterwards is for the caller to say.
attended() {
    pass_on=$1 attended= stopped=
    shift
    trap 'stopped=yes; [ -z "$attended" ] || "$pass_on" "$attended"' TERM INT HUP
    "$@" &
    attended=$!
    # A signal that came before the number was known.
    [ -z "$stopped" ] || "$pass_on" "$attended"
    # A signal ends the waiting too; what it waits for may still be there.
    while :; do
        wait "$attended" && code=0 || code=$?
        kill -0 "$attended" 2>/dev/null || break
    done
    # Where the waiting was ended, the code was that of the signal, and the real one is still to be had.
    wait "$attended" 2>/dev/null && code=0 || { last=$?; [ "$last" = 127 ] || code=$last; }
    attended=
}

# Again and again: a signal that comes while a shell is being born is lost.
end_it() { # and not what it has started, which it ends itself
    tries=0
    while kill -TERM "$1" 2>/dev/null && [ "$tries" -lt 400 ]; do
        tries=$((tries + 1))
        sleep 0.2 || sleep 1
    done
}

end_all() { # it, and all that it has started
    tries=0
    while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 50 ]; do
        for process in $(all_below "$1") "$1"; do kill -TERM "$process" 2>/dev/null || :; done
        tries=$((tries + 1))
        sleep 0.2 || sleep 1
    done
    ! kill -0 "$1" 2>/dev/null || kill -KILL $(all_below "$1") "$1" 2>/dev/null || :
}

all_below() { # the numbers of all processes below one
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v top="$1" '
        { number = $1; sub(/^.*\) /, ""); above[number] = $2 }
        END {
            for (one in above) for (up = above[one]; up > 1; up = above[up]) if (up == top) { print one; break }
        }'
}

# What happened, for the page Platform and its alert: kind, backup, when it began and ended (seconds, or nothing), bytes,
# outcome. A backup that cannot be told of is still one.
record() {
    timeout 60 psql --quiet --no-psqlrc ${SMARTPARK_BACKUP_RECORD:+--dbname "$SMARTPARK_BACKUP_RECORD"} \
        --file "$sql/record.sql" --set kind="$1" --set backup="$2" --set began="$3" --set ended="$4" --set bytes="$5" \
        --set outcome="$6" >/dev/null || say "$2 ($1, $6) is not on record; the words above say why. The backup itself is as it was"
}
