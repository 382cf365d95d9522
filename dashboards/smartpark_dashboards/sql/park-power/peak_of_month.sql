-- The settlement month's maximum demand so far, as far as it is known.
{{shared/maximum_demand}}
