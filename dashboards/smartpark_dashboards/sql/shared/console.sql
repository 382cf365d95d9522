-- Where browsers reach the console, as `smartpark grafana console URL` wrote it into the database; until then the
-- address of the compose on the same machine.
WITH told AS (
    SELECT rtrim(coalesce(nullif(current_setting('smartpark.console_url', true), ''), 'http://127.0.0.1:8000'), '/') AS url
)
SELECT url AS "__text", url AS "__value" FROM told
