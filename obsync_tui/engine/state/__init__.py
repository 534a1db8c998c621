"""The local SQLite state."""
