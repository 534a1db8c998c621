"""A message on its way to a destination."""

from typing import TypedDict


class OutgoingMessage(TypedDict):
    """A message in the form that the Kafka client takes in batches: a plain dict, for one is made per row."""

    key: bytes | None
    value: bytes


Lanes = list[list[OutgoingMessage]]
"""A topic's messages by partition, in order: the Kafka client takes a batch per partition."""
