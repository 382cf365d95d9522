-- Hours, beyond 31 days days, of which most of the electricity is not known: of the chosen park.
WITH chosen AS (SELECT code AS park, retired_at FROM park.park WHERE code = '$park'),
{{gaps}}
