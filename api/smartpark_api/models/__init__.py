"""What the API answers with: shapes and their descriptions, nothing computed."""
