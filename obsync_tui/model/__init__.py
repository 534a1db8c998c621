"""Frozen structs shared by every process of obsync."""
