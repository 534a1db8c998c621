"""Formats: pure functions from a table version to message plans."""
