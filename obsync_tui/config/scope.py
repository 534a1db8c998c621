"""The rules of a project's objects in the text of its file, edited so that all else stays as a person wrote it."""

from collections.abc import MutableMapping, MutableSequence
from typing import cast

from obsync_tui.model.objects import Scope


def with_scope(text: str, scope: Scope) -> str:
    """The text of a project's file with other include and exclude rules; comments stay, those of a rule go with it."""
    import tomlkit  # only here: a parser that keeps comments takes long to load

    document = cast("MutableMapping[str, MutableMapping[str, MutableSequence[str]]]", tomlkit.parse(text))
    objects = document["objects"]
    for key, rules in (("include", scope.include), ("exclude", scope.exclude)):
        if key not in objects:
            if rules:
                objects[key] = list(rules)
            continue
        there = objects[key]
        for rule in [one for one in there if one not in rules]:
            there.remove(rule)
        # In their order, so that an edit can be taken back.
        for place, rule in enumerate(rules):
            if place >= len(there) or there[place] != rule:
                there.insert(place, rule)
        while len(there) > len(rules):
            there.pop()
    return tomlkit.dumps(document)
