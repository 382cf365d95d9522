"""Telling people and webhooks of load requests: reminders, escalations, digests, deliveries.

What is told is decided by core (`smartpark.load_requests.reminders`) and kept by storage before anything is sent, so
that each thing is told once however often this is killed and begun again. It changes no request.
"""
