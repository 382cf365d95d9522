"""Everything that writes by itself: intake, admission, writer, dead letters, derive."""
