"""A province that pulls under faults: a bad link, a puller that is killed, and in the end two digests."""
