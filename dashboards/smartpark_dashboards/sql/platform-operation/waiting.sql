-- What is stored and not done yet, by kind over all parks, and how long ago the oldest of it is from.
SELECT
    kind, sum(number)::float8 AS number, extract(epoch FROM now() - min(oldest))::float8 AS age,
    count(DISTINCT park) FILTER (WHERE number > 0) AS parks
FROM park.waiting_work
GROUP BY kind
ORDER BY 2 DESC, 1
