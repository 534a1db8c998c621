"""Messages above their topic's limit are found before they are sent."""

from json.encoder import encode_basestring as quote

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.errors import MessageTooLarge
from obsync_tui.engine.store.store import Begin
from obsync_tui.model.message import OutgoingMessage
from obsync_tui.model.project import TooLarge

# Record batch header (61) and record framing (at most 21) in Kafka's message format 2.
OVERHEAD_BYTES = 96


class Oversize:
    """The policy for messages that are too large: stop, or a dead letter in the same transaction."""

    def __init__(self, policy: TooLarge, dead_letter_topic: str) -> None:
        self._policy = policy
        self._dead_letter_topic = dead_letter_topic
        self.dead_letters = 0

    def check_all(self, out: Outgoing, routes: Routes, begin: Begin | None) -> None:
        """Check the messages of every topic of a batch of changes."""
        gtid = str(begin.gtid) if begin else (out.position.executed[-60:] if out.position else "")
        out.count = sum([len(lane) for lanes in out.messages.values() for lane in lanes])
        if 2 * out.largest_bytes <= routes.smallest_limit_bytes - OVERHEAD_BYTES:
            return
        for topic in tuple(out.messages):
            self.check(out, routes.of_topic(topic), f"transaction at {gtid}")

    def check(self, out: Outgoing, route: TopicRoute, where: str) -> None:
        """Check one topic's messages. MessageTooLarge under the policy `stop`."""
        limit = route.max_message_bytes - OVERHEAD_BYTES
        # A key's text stands in its value too, so that no message is above twice the largest value.
        if 2 * out.largest_bytes <= limit:
            return
        lanes = out.messages[route.topic]
        for partition, messages in enumerate(lanes):
            if max([len(m["value"]) + len(m["key"] or b"") for m in messages], default=0) > limit:
                lanes[partition] = self._fitting(out, route, partition, where)

    def _fitting(self, out: Outgoing, route: TopicRoute, partition: int, where: str) -> list[OutgoingMessage]:
        fitting: list[OutgoingMessage] = []
        for message in out.messages[route.topic][partition]:
            size_bytes = len(message["value"]) + len(message["key"] or b"")
            if size_bytes <= route.max_message_bytes - OVERHEAD_BYTES:
                fitting.append(message)
                continue
            if self._policy is TooLarge.STOP:
                key = (message["key"] or b"").decode("utf-8", "replace")[:100]
                raise MessageTooLarge(
                    f"a message of {size_bytes:,} bytes is above the topic's max.message.bytes of "
                    f"{route.max_message_bytes:,} (key {key!r})",
                    where=f"topic {route.topic}, {where}",
                    cure='Raise max.message.bytes of the topic, or set too_large = "dead-letter" in [delivery].',
                )
            self._dead_letter(out, route, partition, message, where)
        return fitting

    def _dead_letter(
        self, out: Outgoing, route: TopicRoute, partition: int, message: OutgoingMessage, where: str
    ) -> None:
        self.dead_letters += 1
        position = out.position.executed if out.position else ""
        inside = out.position.inside if out.position else ""
        head = (
            f'{{"topic":{quote(route.topic)},"partition":{partition},"position":{quote(position)},'
            f'"inside":{quote(inside)},"where":{quote(where)},"max_message_bytes":{route.max_message_bytes},"message":'
        ).encode("utf-8", "replace")
        letter: OutgoingMessage = {"key": message["key"], "value": head + message["value"] + b"}"}
        out.lanes(self._dead_letter_topic, 1)[0].append(letter)
        out.notices.append(
            f"a message for {route.topic} was too large and went to {self._dead_letter_topic}: {where}"
        )
