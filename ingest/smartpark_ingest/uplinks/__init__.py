"""Uplinks: published numbers pushed to platforms that exist in the field, each in its own protocol.

One worker serves one file of settings. In each round it looks which current numbers its platform does not know yet
(`planning`), and tells them, live ones first, until each is acknowledged (`worker`). What a protocol adds is small
and said in `kinds`. The queue lives in the database, so a worker may be killed at any moment: what was not
acknowledged is told again, and a platform that knows an item and its period takes the repetition for the same.

Nothing here computes a number, and nothing is told that is not published: a missing value is withheld, never zero.
"""
