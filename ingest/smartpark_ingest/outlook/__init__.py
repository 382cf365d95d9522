"""The load ahead and the capacity that is free, computed now and then and kept."""
