-- Limits of stacks as rows: which stacks name one, and what no longer follows or is new.

-- limited_stacks --
SELECT park, code, emission_limit, o2_reference_pct
FROM smartpark.device
WHERE
    emission_limit IS NOT NULL AND retired_at IS NULL
    AND (%(park)s::text IS NULL OR park = %(park)s)
ORDER BY park, code;

-- supersede_emission_limits --
-- A release that numbers its table anew and changes nothing in a row leaves the row as it is.
UPDATE smartpark.emission_limit AS l
SET superseded_at = %(at)s
WHERE
    l.superseded_at IS NULL AND (%(park)s::text IS NULL OR l.park = %(park)s)
    AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(%(rows)s::jsonb) AS w (
            park text, device text, pollutant text, limit_value double precision, unit text,
            reference_o2_pct double precision, code text, name text, name_en text, valid_from date, valid_to date,
            source text, grade text
        )
        WHERE
            (w.park, w.device, w.pollutant, w.valid_from) = (l.park, l.device, l.pollutant, l.valid_from)
            AND (w.limit_value, w.unit, w.reference_o2_pct, w.code, w.name, w.name_en, w.source, w.grade)
            = (l.limit_value, l.unit, l.reference_o2_pct, l.code, l.name, l.name_en, l.source, l.grade)
            AND w.valid_to IS NOT DISTINCT FROM l.valid_to
    );

-- add_emission_limits --
INSERT INTO smartpark.emission_limit (
    park, device, pollutant, measurand, limit_value, unit, reference_o2_pct, code, name, name_en, valid_from, valid_to,
    source, grade, version, kept_at
)
SELECT
    park, device, pollutant, measurand, limit_value, unit, reference_o2_pct, code, name, name_en, valid_from, valid_to,
    source, grade, version, %(at)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS w (
    park text, device text, pollutant text, measurand text, limit_value double precision, unit text,
    reference_o2_pct double precision, code text, name text, name_en text, valid_from date, valid_to date, source text,
    grade text, version text
)
ON CONFLICT (park, device, pollutant, valid_from) WHERE superseded_at IS NULL DO NOTHING;
