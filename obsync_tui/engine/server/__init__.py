"""The engine's API: HTTP and JSON on a unix socket, one route for each operation."""
