"""Alerts as the API and the pages give them: lists, one with its evidence, what people do about it, and the news."""
