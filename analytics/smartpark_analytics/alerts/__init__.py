"""What is out of the ordinary in many series at once: pure detectors, and the spans they make of it.

A detector answers for every sample whether it is a breach, fine, in between or not known; `episodes` makes spans of
that. Nothing here knows rules, people or notifications, reads a clock or fetches anything.
"""
