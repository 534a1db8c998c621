"""Sinks: where messages and the checkpoint become durable."""
