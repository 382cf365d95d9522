"""Telling people and programs of alerts: planned with the alert's own record, sent once as far as a channel allows.

What is to be told is decided by core (`smartpark.alerts.paging`, `smartpark.alerts.routes`). Planning writes lines in
the transaction that records that people were told; sending claims lines, hands them over and notes it. A process that
dies between handing over and noting sends that one message again, under the same name.
"""
