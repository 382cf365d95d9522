"""Looking ahead: load of the coming days, the coming year's peak, and what capacity is free."""
