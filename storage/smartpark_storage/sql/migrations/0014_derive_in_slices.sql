-- Quarter-hours are written by the hundred thousand when a park is recomputed. Two things cost more than the row itself:
-- asking for each row whether its point exists (points are never deleted, and derive takes them from the registry), and
-- an ordered index of all starts, where questions about a time alone are content with the blocks it lies in.
ALTER TABLE smartpark.interval_energy DROP CONSTRAINT interval_energy_point_id_fkey;
DROP INDEX smartpark.interval_energy_start_idx;
CREATE INDEX interval_energy_start ON smartpark.interval_energy USING brin (start);
