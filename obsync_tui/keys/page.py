"""docs/keymap.md, made from the registry: `python -m obsync_tui.keys.page > docs/keymap.md`."""

from obsync_tui.keys.action import Action, Level, Scope, shown_key
from obsync_tui.keys.keymap import VIEWS
from obsync_tui.keys.registry import ACTIONS, RESERVED, actions_in

_ASKS = {Level.READ: "", Level.WRITE: "writes", Level.CAUTION: "asks", Level.DANGER: "asks for the name"}
_HEAD = """\
# Keys of the console

Made from `obsync_tui/keys/registry.py` by `python -m obsync_tui.keys.page`; a test holds both together.

Every key can be changed in `keymap.toml` beside the other configuration (`~/.config/obsync/keymap.toml`):

```toml
[keys]
"project.pause" = "P"
"palette" = [":", "ctrl+g"]
```

An action that is not possible now is shown dim; its key says why. `obsync --read-only` forbids what writes.
"""


def keymap_page() -> str:
    """The page's whole text."""
    parts = [
        _HEAD,
        "## In every view\n",
        _table([action for action in ACTIONS if Scope.ALL in action.scopes]),
    ]
    parts += ["## In every table\n", _table([action for action in ACTIONS if Scope.LIST in action.scopes])]
    for view, scopes in VIEWS.items():
        own = [action for action in actions_in(scopes[:1]) if Scope.ALL not in action.scopes]
        if own:
            parts += [f"## {view}\n", _table(own)]
    reserved = ", ".join(f"`{key}`" for key in sorted(RESERVED))
    parts.append(f"## Keys that cannot be used\n\n{reserved}, and `alt+` with anything.\n")
    return "\n".join(parts)


def _table(actions: list[Action]) -> str:
    rows = ["| key | action | what it does | |", "|---|---|---|---|"]
    for action in actions:
        keys = " ".join(f"`{shown_key(key)}`" for key in action.keys)
        rows.append(f"| {keys} | `{action.id}` | {action.text} | {_ASKS[action.level]} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(keymap_page(), end="")
