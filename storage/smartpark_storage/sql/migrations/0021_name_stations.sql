-- Transformers of the same station stand in for each other: what free capacity is judged by when one of them is out.

ALTER TABLE smartpark.transformer ADD COLUMN station text;

-- A view keeps the columns that its table had when it was made; new ones come last.
CREATE OR REPLACE VIEW park.transformer AS SELECT * FROM smartpark.transformer;
