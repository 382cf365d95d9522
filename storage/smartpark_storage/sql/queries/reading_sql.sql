-- Statements of others, such as the queries of dashboards, tried as a role that only reads.

-- who_tries --
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = session_user;

-- begin_trying --
-- What follows in the transaction may be anybody's: it cannot write, takes no longer than it may, and is asked as the
-- role that will ask it. Rules about readers go by who logged in, which only a superuser may seem to have been.
SELECT
    set_config('transaction_read_only', 'on', true),
    set_config('statement_timeout', %(timeout_ms)s, true),
    set_config(%(setting)s, %(role)s, true);
