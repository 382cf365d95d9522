-- When parks' catalogues were loaded, newest first.
SELECT time AS at, park, source, loaded_by
FROM park.catalogue_version
ORDER BY time DESC, version_id DESC
LIMIT 50
