"""Small slices of openly licensed real readings; see SOURCES.md beside this file."""
