-- Sums over the days of the range; a sum with an unknown day in it is not known.
SELECT
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'electricity_purchased') THEN
        sum(value) FILTER (WHERE indicator = 'electricity_purchased') END AS purchased,
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'photovoltaic_generation') THEN
        sum(value) FILTER (WHERE indicator = 'photovoltaic_generation') END AS generated,
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'electricity_exported') THEN
        sum(value) FILTER (WHERE indicator = 'electricity_exported') END AS exported,
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'electricity_consumption') THEN
        sum(value) FILTER (WHERE indicator = 'electricity_consumption') END AS consumed,
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'distribution_loss') THEN
        sum(value) FILTER (WHERE indicator = 'distribution_loss') END AS lost,
    CASE WHEN bool_and(value IS NOT NULL) FILTER (WHERE indicator = 'unmetered_rest') THEN
        sum(value) FILTER (WHERE indicator = 'unmetered_rest') END AS unmetered
FROM park.indicator
WHERE time >= $__timeFrom() AND time < $__timeTo() AND park = '$park' AND boundary = 'park' AND grain = 'day'
  AND indicator IN (
      'electricity_purchased', 'photovoltaic_generation', 'electricity_exported', 'electricity_consumption',
      'distribution_loss', 'unmetered_rest'
  )
