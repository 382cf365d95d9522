"""Numbers from gauges: demand, quality of supply, stacks and air of a day, their months, and how each came about."""
