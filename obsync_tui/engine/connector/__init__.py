"""The Connector: filter, route, partition and encode row changes."""
