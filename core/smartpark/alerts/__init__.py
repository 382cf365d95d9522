"""Alerts: rules as data, and the life of an alert as what its events make of it. Pure: no clock, no database."""
