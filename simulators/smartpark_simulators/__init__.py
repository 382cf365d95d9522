"""A park that does not exist: meters over MQTT and OPC UA, faults, and the truth ledger."""
