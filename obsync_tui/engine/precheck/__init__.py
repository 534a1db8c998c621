"""Precheck: what could stop a project, found before it starts."""
