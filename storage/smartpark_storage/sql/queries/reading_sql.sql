-- Statements of others, such as the queries of dashboards, tried as a role that only reads.

-- begin_trying --
-- What follows in the transaction may be anybody's: it cannot write, takes no longer than it may, and is asked as the
-- role that will ask it.
SELECT
    set_config('transaction_read_only', 'on', true),
    set_config('statement_timeout', %(timeout_ms)s, true),
    set_config('role', %(role)s, true);
