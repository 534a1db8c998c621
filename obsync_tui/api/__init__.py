"""The wire between the engine and its clients: operations, the socket, the client."""
