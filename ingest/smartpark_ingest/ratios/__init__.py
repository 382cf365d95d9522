"""Ratios and budgets of a park's months and years: from published numbers and business figures to rows to publish."""
