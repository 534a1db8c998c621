"""What adding rules to a project's objects and removing some makes of its include and exclude rules."""

from __future__ import annotations

import itertools

import pytest

from obsync_tui.model.objectchange import added, removed
from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.project import Objects
from obsync_tui.model.table import TableName

NAMES = [TableName(db, table) for db in ("a", "b", "ab") for table in ("x", "y", "tmp_1", "tmp_2", "xy")]
RULES = ("a.x", "a.*", "*.x", "a.tmp_*", "a?.x", "[ab].xy", "*.*", "b.y", "a.x*")


def inside(scope: Scope) -> set[TableName]:
    rules = ObjectRules(Objects(scope.include, scope.exclude))
    return {name for name in NAMES if rules.matches(name)}


@pytest.mark.parametrize(
    ("include", "exclude", "rule", "included", "excluded"),
    [
        (("a.x",), (), "a.y", ("a.x", "a.y"), ()),
        (("a.*",), ("a.y",), "a.y", ("a.*",), ()),
        (("a.x",), ("b.*",), "b.*", ("a.x", "b.*"), ()),
        (("a.*",), ("a.tmp_*",), "a.tmp_*", ("a.*",), ()),
        (("*.x",), (), "a.x*", ("*.x", "a.x*"), ()),
    ],
)
def test_added(include: tuple[str, ...], exclude: tuple[str, ...], rule: str, included: tuple[str, ...], excluded: tuple[str, ...]) -> None:  # fmt: skip
    assert added(Scope(include, exclude), (rule,)) == Scope(included, excluded)


@pytest.mark.parametrize(
    ("include", "exclude", "rule", "included", "excluded"),
    [
        (("a.x", "a.y"), (), "a.y", ("a.x",), ()),
        (("a.*",), (), "a.y", ("a.*",), ("a.y",)),
        (("a.*", "a.y"), (), "a.y", ("a.*",), ("a.y",)),
        (("a.*", "b.*"), (), "b.*", ("a.*",), ()),
        (("a.*", "[ab].xy"), (), "b.*", ("a.*", "[ab].xy"), ("b.*",)),
    ],
)
def test_removed(include: tuple[str, ...], exclude: tuple[str, ...], rule: str, included: tuple[str, ...], excluded: tuple[str, ...]) -> None:  # fmt: skip
    assert removed(Scope(include, exclude), (rule,)) == Scope(included, excluded)


@pytest.mark.parametrize(
    ("kind", "rule", "said"),
    [
        (added, "a", "write <db>.<table>"),
        (added, "a.x", "is in scope already"),
        (added, "b.z", r"stays out of scope: the exclude rule 'b\.\*' takes it away"),
        (removed, "c.x", "is not in scope"),
        (removed, "b.q", "is not in scope"),
        (removed, "a.*", "nothing would be left"),
        (removed, "*.*", "nothing would be left"),
    ],
)
def test_refused(kind: object, rule: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(Scope(("a.*",), ("b.*",)), (rule,))  # type: ignore[operator]


def test_any_rules_come_in_whole_and_go_out_whole() -> None:
    """Whatever is accepted does what it says, and nothing else comes or goes with it."""
    accepted = 0
    for first, second, rule in itertools.product(RULES, repeat=3):
        for scope in (Scope((first, second)), Scope((first,), (second,))):
            asked, before = inside(Scope((rule,))), inside(scope)
            for kind, wanted in ((added, before | asked), (removed, before - asked)):
                try:
                    after = kind(scope, (rule,))
                except ValueError:
                    continue
                accepted += 1
                if kind is removed:
                    assert inside(after) == wanted, (scope, rule, after)
                else:
                    # An exclude rule that takes a part away goes on to do so.
                    left = set() if not after.exclude else inside(Scope(after.exclude))
                    assert inside(after) >= wanted - left and inside(after) <= wanted, (scope, rule, after)
    assert accepted > 500
