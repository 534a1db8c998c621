"""The Kafka sink: messages and checkpoint records in one transaction."""
