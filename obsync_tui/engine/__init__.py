"""The engine: everything between a source and a destination."""
