"""Ratios and budgets of months and years: from published numbers and business figures to rows, and what made them."""
