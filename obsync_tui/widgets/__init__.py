"""Widgets that know no project: lines, tables, text panes, fields."""
