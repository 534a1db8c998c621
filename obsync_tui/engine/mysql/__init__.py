"""MySQL as a source: connection, catalog, rights."""
