-- What derive needs beside the data itself: marks of its own, turns at a park, and whose grid a park counts by.

-- lock_parks --
-- In the order of their codes, so that two workers never wait for each other.
SELECT pg_advisory_xact_lock(7262004, hashtext(park))
FROM (SELECT DISTINCT given.park FROM unnest(%(parks)s::text[]) AS given (park) ORDER BY 1) AS sorted;

-- share_months --
SELECT pg_advisory_xact_lock_shared(7262007, hashtext(month))
FROM (SELECT DISTINCT given.month FROM unnest(%(months)s::text[]) AS given (month) ORDER BY 1) AS sorted;

-- take_month --
SELECT pg_advisory_xact_lock(7262007, hashtext(%(month)s));

-- park_factor_scopes --
SELECT code, electricity_factor_scope FROM smartpark.park ORDER BY code;
