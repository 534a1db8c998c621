"""The rules in a project's file are edited, and all else stays as a person wrote it."""

from __future__ import annotations

import tomllib

import pytest

from obsync_tui.config.scope import with_scope
from obsync_tui.model.objects import Scope

MULTILINE = """# ours
name = "orders"   # not the shop's

[objects]
ddl = true
include = [
    # what sells
    "shop.item",   # all of it
    "shop.other",
]

[message]
# joined by a bar
key = "none"
"""


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        (MULTILINE, Scope(("shop.item", "shop.other", "shop.late"))),
        (MULTILINE, Scope(("shop.other",), ("shop.tmp_*",))),
        (MULTILINE, Scope(("shop.late", "shop.item", "shop.last", "shop.other"))),
        (MULTILINE, Scope(("shop.other", "shop.item"))),
        ('objects = { include = ["a.*"], exclude = ["a.x"] } # short', Scope(("a.*", "b.*"))),
        ('objects.include = ["a.*"]\nobjects.exclude = []\n', Scope(("a.*",), ("a.\\u00fc",))),
    ],
)
def test_rules_are_replaced_and_nothing_else(text: str, scope: Scope) -> None:
    edited = with_scope(text, scope)
    before, after = tomllib.loads(text), tomllib.loads(edited)
    objects = after["objects"]
    assert (tuple(objects["include"]), tuple(objects.get("exclude", ()))) == (scope.include, scope.exclude)
    for key in ("include", "exclude"):
        before["objects"].pop(key, None)
        objects.pop(key, None)
    assert before == after
    comments = [line[line.index("#") :] for line in text.splitlines() if "#" in line]
    assert [one for one in comments if one not in edited] in ([], ["# all of it"])


def test_it_goes_back_to_what_it_was() -> None:
    there = Scope(("shop.item", "shop.other"))
    assert with_scope(with_scope(MULTILINE, Scope((*there.include, "shop.late"))), there) == MULTILINE
