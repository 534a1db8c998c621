"""What a terminal needs to be safe and readable."""
