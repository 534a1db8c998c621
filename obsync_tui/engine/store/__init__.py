"""Stores pull a source's log and yield its transactions in commit order."""
