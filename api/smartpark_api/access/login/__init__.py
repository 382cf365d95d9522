"""Logging in: identity providers, one-time links, sessions of people, and access tokens of programs.

What somebody may do is decided elsewhere; here it is only found out who they are.
"""
