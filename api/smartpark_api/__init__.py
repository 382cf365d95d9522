"""Everything people and platforms ask: HTTP API and pages."""
