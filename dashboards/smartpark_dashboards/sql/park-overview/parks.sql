-- Parks to choose from.
SELECT name AS "__text", code AS "__value" FROM park.park ORDER BY name
