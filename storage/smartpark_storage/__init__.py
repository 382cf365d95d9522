"""The only room that speaks SQL: migrations, binary COPY, ledger, registry, indicators."""
