"""Values: pure functions from a source's bytes and floats to the text that messages carry."""
