"""Object changes: what is added to and removed from a started project, and how far that is, in OMS's words."""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

import msgspec

from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.project import Objects
from obsync_tui.model.table import TableName


class ChangeKind(StrEnum):
    """What a change does."""

    ADD = "add"
    REMOVE = "remove"


class ChangeState(StrEnum):
    """How far a change is.

    Pending: the project does not run. Modifying: the run takes the rules in. Running: tables that came are read.
    Integrating: the stream passes the cut at which they were read. Failed: the project failed meanwhile; resuming it
    tries again.
    """

    PENDING = "Pending"
    CANCELED = "Canceled"
    MODIFYING = "Modifying"
    RUNNING = "Running"
    ABORTED = "Aborted"
    INTEGRATING = "Integrating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class ObjectChange(msgspec.Struct, frozen=True):
    """One change: `rules` are what was asked for, `before` and `after` the project's rules. `text` is why it failed.

    Times are UTC epoch seconds; it is open until `ended_s`. `who` is "uid name tty". Numbers count up.
    """

    number: int
    project_id: str
    kind: ChangeKind
    rules: tuple[str, ...]
    state: ChangeState
    at_s: float
    before: Scope
    after: Scope
    who: str = ""
    text: str = ""
    ended_s: float | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is open; one that failed waits for what a person does."""
        return self.ended_s is None and self.state is not ChangeState.FAILED


def added(rules: Scope, wanted: tuple[str, ...]) -> Scope:
    """The rules with others in scope; ValueError names one that cannot be read, is in scope already, or stays out."""
    for rule in wanted:
        _readable(rule)
        exclude = tuple(one for one in rules.exclude if one != rule)
        covered = any(_covers(one, rule) for one in rules.include)
        if covered and exclude == rules.exclude:
            raise ValueError(f"{rule!r} is in scope already, or an exclude rule takes it away")
        if taker := next((one for one in exclude if _covers(one, rule)), ""):
            raise ValueError(f"{rule!r} stays out of scope: the exclude rule {taker!r} takes it away")
        rules = Scope(rules.include if covered else (*rules.include, rule), exclude)
    return rules


def removed(rules: Scope, unwanted: tuple[str, ...]) -> Scope:
    """The rules without some; ValueError names one that is not in scope, and refuses to leave none."""
    for rule in unwanted:
        _readable(rule)
        if any(_covers(one, rule) for one in rules.exclude) or not any(
            _meet(one, rule) for one in rules.include
        ):
            raise ValueError(f"{rule!r} is not in scope")
        include = tuple(one for one in rules.include if one != rule)
        if not include or all(_covers(rule, one) for one in include):
            raise ValueError("nothing would be left in scope: pause or release the project instead")
        still = any(_meet(one, rule) for one in include)
        rules = Scope(include, (*rules.exclude, rule) if still else rules.exclude)
    return rules


def _readable(rule: str) -> None:
    ObjectRules(Objects((rule,)))


def _covers(wide: str, narrow: str) -> bool:
    """Whether everything that one rule matches is matched by the other, as far as that is plain to see."""
    if wide == narrow:
        return True
    if not any(character in narrow for character in "*?["):
        return ObjectRules(Objects((wide,))).matches(TableName.parse(narrow))
    stars = re.escape(wide).replace(r"\*", "[^.]*")
    return not any(character in wide for character in "?[") and re.fullmatch(stars, narrow) is not None


def _meet(one: str, other: str) -> bool:
    """Whether there may be a name that both rules match; a class of characters counts as any character."""
    left, right = tuple(_signs(one)), tuple(_signs(other))

    @lru_cache(None)
    def meets(i: int, j: int) -> bool:
        if i < len(left) and left[i] == "*":
            return meets(i + 1, j) or (j < len(right) and right[j] != "." and meets(i, j + 1))
        if j < len(right) and right[j] == "*":
            return meets(i, j + 1) or (i < len(left) and left[i] != "." and meets(i + 1, j))
        if i == len(left) or j == len(right):
            return i == len(left) and j == len(right)
        same = left[i] == right[j] or ("?" in (left[i], right[j]) and "." not in (left[i], right[j]))
        return same and meets(i + 1, j + 1)

    return meets(0, 0)


def _signs(rule: str) -> Iterator[str]:
    i = 0
    while i < len(rule):
        end = rule.find("]", i) if rule[i] == "[" else -1
        yield "?" if end > 0 else rule[i]
        i = end + 1 if end > 0 else i + 1
