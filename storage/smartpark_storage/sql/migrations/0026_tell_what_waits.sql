-- Whoever submits a period is told what of it has been stored and not computed yet. Marks themselves stay with those who
-- write; this view holds the rule of the points they are about, as those of the readings do (0024).
CREATE VIEW seen.waiting_span WITH (security_barrier) AS
SELECT p.park, m.point_id, m.span_start, m.span_end
FROM smartpark.stale_mark AS m
JOIN smartpark.point AS p USING (point_id)
WHERE (SELECT smartpark.sees_all('operation')) OR p.park = ANY ((SELECT smartpark.parks_seen('operation'))::text[]);
GRANT SELECT ON seen.waiting_span TO smartpark_api, smartpark_ingest;

-- How far the publications of some parks have come is asked with every pull of somebody who sees only these.
CREATE INDEX publication_of_park ON smartpark.publication (park, position);
