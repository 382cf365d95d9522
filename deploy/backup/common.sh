# Read by scripts/backup and scripts/restore-drill: how they log in, and how values become text.

# The password goes from its file into one of libpq's own form: in no command line, no variable, no log.
log_in() {
    export PGDATABASE="${PGDATABASE:-smartpark}" PGAPPNAME="smartpark backup" PGCONNECT_TIMEOUT=10
    # So that the same row is the same text on every server.
    export PGOPTIONS="-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c statement_timeout=0 -c lock_timeout=0 -c row_security=off"
    passing=$(mktemp -d)
    trap 'rm -rf "$passing"' EXIT
    [ -n "${SMARTPARK_DSN_PASSWORD_FILE:-}" ] || return 0
    [ -r "$SMARTPARK_DSN_PASSWORD_FILE" ] || die "$SMARTPARK_DSN_PASSWORD_FILE cannot be read"
    sed 's/[\\:]/\\&/g; s/^/*:*:*:*:/' "$SMARTPARK_DSN_PASSWORD_FILE" >"$passing/passwords"
    export PGPASSFILE="$passing/passwords"
}
