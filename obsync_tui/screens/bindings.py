"""From the registry to Textual's bindings."""

from collections.abc import Sequence

from textual.binding import Binding, BindingType

from obsync_tui.keys.action import Scope
from obsync_tui.keys.keymap import Keymap
from obsync_tui.keys.registry import actions_in


def bindings_of(scopes: Sequence[Scope]) -> list[BindingType]:
    """One binding an action of these scopes, with the action's id so that the user's keymap finds it."""
    return [
        Binding(",".join(action.keys), f"perform('{action.id}')", action.label, show=False, id=action.id)
        for action in actions_in(tuple(scopes))
    ]


def textual_keymap(keymap: Keymap) -> dict[str, str]:
    """The user's keys as Textual takes them."""
    return {name: ",".join(keys) for name, keys in keymap.items()}
