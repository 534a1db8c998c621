"""The console's screens: each reads and acts only through the client of the engine's API."""
