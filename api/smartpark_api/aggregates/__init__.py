"""What others pull: published numbers with their revisions, in pages; periods that were sealed as submitted."""
