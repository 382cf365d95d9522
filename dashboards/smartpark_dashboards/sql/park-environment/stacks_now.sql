-- Stacks within and beyond their limits, and those of which nobody knows; what the query does stands in the part.
{{shared/stacks_judged}}
