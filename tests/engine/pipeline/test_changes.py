"""Every key of a project file has its place, and what an edit asks for follows from it."""

from collections.abc import Iterator

import msgspec
import pytest

from obsync_tui.engine.pipeline import changes
from obsync_tui.engine.pipeline.changes import classify
from obsync_tui.model.project import Full, HashFunction, Message, Objects, Project, Store, TableRule

PROJECT = Project("np_aaaaaaaaaaaa", "orders", "shop", "events", Objects(("shop.*",)))


def keys(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from keys(field.type, f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name


def test_every_key_is_classified_and_no_other() -> None:
    known = [*changes._LIVE, *changes._RESTART, *changes._NEVER]
    assert sorted(set(known)) == sorted(keys(Project))
    # Twice: its parts differ in what they ask for.
    assert {key for key in known if known.count(key) > 1} == {"objects.tables"}


def edited(**parts: object) -> Project:
    return msgspec.structs.replace(PROJECT, **parts)


@pytest.mark.parametrize(
    ("project", "in_full", "live", "restart", "never"),
    [
        (PROJECT, False, [], [], []),
        (edited(full=Full(rows_per_s=5, bytes_per_s=7)), True, ["full.bytes_per_s", "full.rows_per_s"], [], []),
        (edited(full=Full(connections=4)), True, [], ["full.connections"], []),
        (edited(full=Full(connections=4)), False, ["full.connections"], [], []),
        (edited(store=Store(rows_per_s=1, silence_s=20)), False, ["store.rows_per_s"], ["store.silence_s"], []),
        (edited(name="other"), False, ["name"], [], []),
        (edited(id="np_bbbbbbbbbbbb", source="x", destination="y"), False, [], [], ["from", "id", "to"]),
        (edited(message=Message(hash=HashFunction.MURMUR2)), False, [], [], ["message.hash"]),
        (edited(objects=Objects(("shop.*", "x.*"), ddl=True)), False, [], ["objects.ddl", "objects.include"], []),
        (edited(objects=Objects(("shop.*",), tables=(TableRule("shop.a", "t"),))), False, [], [], ["objects.tables"]),
        (
            edited(objects=Objects(("shop.*",), tables=(TableRule("shop.a", accept_lost_lob_updates=True),))),
            False,
            [],
            ["objects.tables"],
            [],
        ),
    ],
)  # fmt: skip
def test_what_an_edit_asks_for(
    project: Project, in_full: bool, live: list[str], restart: list[str], never: list[str]
) -> None:
    applied = classify(PROJECT, project, in_full=in_full)
    found = [[change.key for change in kind] for kind in (applied.live, applied.restart, applied.never)]
    assert found == [live, restart, never]
    assert all(change.why for change in (*applied.live, *applied.restart, *applied.never))
    assert applied.done == (not never)
