"""What the API's operations do: one function each, called by the server or, without an engine, by the command line."""
