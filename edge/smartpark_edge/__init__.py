"""The agent beside the meters: sources, mapping, spool, publisher."""
