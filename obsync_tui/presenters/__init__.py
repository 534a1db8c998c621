"""From the model to cells and lines: pure functions, no terminal library."""
