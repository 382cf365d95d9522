-- Sum over the boundary's electricity meters. One silent meter makes the sum unknown: NULL, not a smaller number.
SELECT CASE WHEN bool_and(l.value IS NOT NULL AND l.quality <> 'bad') THEN sum(l.value) END AS load_kw
FROM park.boundary_flow AS p
LEFT JOIN park.latest AS l ON l.point_id = p.point_id AND l.time > now() - INTERVAL '15 minutes'
WHERE p.park = '$park' AND p.role = 'boundary' AND p.carrier = 'electricity' AND p.measurand = 'active_power'
