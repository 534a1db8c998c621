"""The numbers of a running project."""
