"""Data files that come with the platform: factors and calendars."""
