"""What the speed claims rest on: obsync and Debezium one after the other on the same MySQL data."""
