"""What the console costs: bytes on the wire, seconds, memory. `python -m benchmarks.console`."""
