"""What each key of a project file asks for when it changes under a running project."""

from collections.abc import Iterator

import msgspec

from obsync_tui.model.applied import Applied, Change
from obsync_tui.model.project import Objects, Project

_AT_ONCE = "takes effect at once"
_FROM_CHECKPOINT = "the run stops at its checkpoint and goes on with it"
_OTHER_PROJECT = "the checkpoint is of this project's id"
_OTHER_LOG = "the position is one of this source's log"
_OTHER_TOPICS = "the checkpoint and the order per key are of this destination"
_ORDER = "all changes of a key must stay in one partition of one topic"
_SCOPE = (
    "tables that come into scope are read under a cut of now, those that leave it are not followed any more"
)
_LIVE = {
    "name": "it is a label",
    "tags": "they are labels",
    "full.range_rows": "it holds for ranges begun from now on",
    "full.rows_per_s": _AT_ONCE,
    "full.bytes_per_s": _AT_ONCE,
    "store.rows_per_s": _AT_ONCE,
    "store.bytes_per_s": _AT_ONCE,
    "store.start": "it is where a stream first begins: at the first run, and at that after a reset",
}
_RESTART = {
    "objects.include": _SCOPE,
    "objects.exclude": _SCOPE,
    "objects.dml": _FROM_CHECKPOINT,
    "objects.ddl": _FROM_CHECKPOINT,
    "objects.heartbeat_s": _FROM_CHECKPOINT,
    "objects.on_drop": _FROM_CHECKPOINT,
    "objects.merge_upserts": _FROM_CHECKPOINT,
    "objects.tables": "what is lost of LOB columns is decided where the table's log is made",
    "message.format": "messages have the other format from the checkpoint on",
    "topics.mode": "it holds for topics of tables that come later",
    "topics.partitions": "it holds for topics of tables that come later; the others keep theirs",
    "topics.replication": "it holds for topics of tables that come later",
    "topics.settings": "it holds for topics of tables that come later",
    "delivery.too_large": _FROM_CHECKPOINT,
    "delivery.dead_letter_topic": _FROM_CHECKPOINT,
    "delivery.transaction_timeout_s": "the producer is opened anew",
    "full.connections": "a snapshot opens all connections at once; what is unread goes on under another cut",
    "store.heartbeat_s": "the stream is asked for anew",
    "store.silence_s": "the stream is asked for anew",
    "store.purge_rows": _FROM_CHECKPOINT,
    "trace.window_bytes": "another window is begun",
}
_NEVER = {
    "id": _OTHER_PROJECT,
    "from": _OTHER_LOG,
    "to": _OTHER_TOPICS,
    "steps": "the checkpoint is that of the steps it began with",
    "objects.tables": _ORDER,
    "message.topic": _ORDER,
    "message.key": "the key names the row for consumers and for compaction",
    "message.partition": _ORDER,
    "message.hash": _ORDER,
    "message.one_partition": _ORDER,
    "delivery.guarantee": "the checkpoint is kept elsewhere under the other guarantee",
}


def classify(old: Project, new: Project, *, in_full: bool) -> Applied:
    """Sort the keys that differ; `in_full`: full synchronization is under way."""
    live: list[Change] = []
    restart: list[Change] = []
    never: list[Change] = []
    for key in sorted(_different(old, new)):
        if key in _LIVE:
            live.append(Change(key, _LIVE[key]))
        elif key in _NEVER and not (key == "objects.tables" and _same_places(old.objects, new.objects)):
            never.append(Change(key, _NEVER[key]))
        elif key.startswith("full.") and not in_full:
            live.append(Change(key, "it holds for the next full synchronization"))
        else:
            restart.append(Change(key, _RESTART[key]))
    return Applied(tuple(live), tuple(restart), tuple(never))


def _different(old: msgspec.Struct, new: msgspec.Struct, prefix: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(type(old)):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if isinstance(before, msgspec.Struct):
            yield from _different(before, after, f"{prefix}{field.encode_name}.")
        elif before != after:
            yield f"{prefix}{field.encode_name}"


def _same_places(old: Objects, new: Objects) -> bool:
    """Whether every row goes where it went, whatever else differs for single tables."""

    def places(objects: Objects) -> dict[str, tuple[str, tuple[str, ...]]]:
        named = {rule.name: (rule.topic, rule.sharding_columns) for rule in objects.tables}
        return {name: place for name, place in named.items() if place != ("", ())}

    return places(old) == places(new)
