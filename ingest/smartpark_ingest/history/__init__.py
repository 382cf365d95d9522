"""History from files: CSV and Parquet into the readings, exactly once, with what is wrong set aside and named."""
