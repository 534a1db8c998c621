"""The registry: every action of the console, once."""

from obsync_tui.keys.action import Action, Level, Scope

_ALL = (Scope.ALL,)
_LIST = (Scope.LIST,)
_ON_PROJECT = (Scope.PROJECTS, Scope.PROJECT, Scope.COMPONENTS, Scope.OBJECTS)
_LIFE = (Scope.PROJECTS, Scope.PROJECT)
_TEXTS = (Scope.LOGS, Scope.TEXT)

ACTIONS: tuple[Action, ...] = (
    Action("open", ("enter",), "open", "Open what the cursor is on", _LIST, footer=True),
    Action("back", ("escape",), "back", "Clear the filter, then the marks, then go back", _ALL),
    Action("help", ("question_mark", "f1"), "help", "Explain this view and its keys", _ALL, footer=True),
    Action("palette", ("colon", "ctrl+p"), "commands", "Find an action, a view or a project by name", _ALL),
    Action(
        "filter", ("slash",), "filter", "Filter or search: a regular expression, ! inverts", _ALL, footer=True
    ),
    Action("find.next", ("n",), "next", "Next match", _ALL),
    Action("find.previous", ("N",), "previous", "Previous match", _ALL),
    Action("cursor.up", ("k", "up"), "up", "One up", _ALL),
    Action("cursor.down", ("j", "down"), "down", "One down", _ALL),
    Action("cursor.page_up", ("pageup", "ctrl+u"), "page up", "A page up", _ALL),
    Action("cursor.page_down", ("pagedown", "ctrl+f"), "page down", "A page down", _ALL),
    Action("cursor.home", ("g", "home"), "first", "To the first", _ALL),
    Action("cursor.end", ("G", "end"), "last", "To the last", _ALL),
    Action("cursor.left", ("left",), "left", "To the left in cut lines", _ALL),
    Action("cursor.right", ("right",), "right", "To the right in cut lines", _ALL),
    Action("pane.next", ("tab",), "next pane", "To the next pane", _ALL),
    Action("pane.previous", ("shift+tab",), "previous pane", "To the previous pane", _ALL),
    Action("view.projects", ("1",), "projects", "All projects", _ALL),
    Action("view.sources", ("2",), "sources", "All data sources", _ALL),
    Action("view.events", ("3",), "events", "What happened in all projects", _ALL),
    Action("view.logs", ("4",), "logs", "The engine's log", _ALL),
    Action("view.engine", ("5",), "engine", "The engine: version, load, clients, sizes", _ALL),
    Action("view.doctor", ("6",), "doctor", "Checks of this machine and installation, with cures", _ALL),
    Action("view.last", ("minus",), "last view", "Back and forth between two views", _ALL),
    Action("project.start", ("s",), "start", "Start or resume", _LIFE, Level.WRITE, True, "start"),
    Action("project.pause", ("x",), "pause", "Pause", _LIFE, Level.CAUTION, True, "pause"),
    Action(
        "project.release",
        ("X",),
        "release",
        "Release: end the links for good and remove the checkpoint",
        _LIFE,
        Level.DANGER,
        operation="release",
    ),
    Action(
        "project.delete",
        ("D",),
        "delete",
        "Delete a project and its state",
        _LIFE,
        Level.DANGER,
        operation="delete",
    ),
    Action(
        "project.clone",
        ("C",),
        "clone",
        "Make a new project from this one",
        _LIFE,
        Level.WRITE,
        operation="clone",
    ),
    Action("project.rename", ("e",), "rename", "Give another name", _LIFE, Level.WRITE, operation="rename"),
    Action("project.tag", ("t",), "tags", "Set the tags", _LIFE, Level.WRITE, operation="edit"),
    Action(
        "project.reset",
        ("T",),
        "reset time",
        "Set the synchronization timestamp of a stopped project",
        (Scope.PROJECT,),
        Level.DANGER,
        operation="retime",
    ),
    Action(
        "project.gap",
        ("B",),
        "gap",
        "Show what of the log is out of a stopped project's reach, and decide about it",
        (Scope.PROJECT,),
        Level.DANGER,
        operation="gap",
    ),
    Action("project.check", ("K",), "check", "Run the precheck", _LIFE, operation="check"),
    Action(
        "project.forget",
        ("Z",),
        "forget",
        "Forget a stopped project's progress: everything is read and sent again",
        (Scope.PROJECT,),
        Level.DANGER,
        operation="reset",
    ),
    Action(
        "project.apply",
        ("A",),
        "apply file",
        "Put the project's changed file into force",
        (Scope.PROJECT, Scope.FILE),
        Level.CAUTION,
        operation="edit",
    ),
    Action("project.components", ("c",), "components", "The project's components", _ON_PROJECT, footer=True),
    Action("project.objects", ("o",), "objects", "The project's objects", _ON_PROJECT, footer=True),
    Action("project.logs", ("l",), "logs", "The project's log", _ON_PROJECT, footer=True),
    Action(
        "project.file", ("v",), "file", "The project's file, and how it differs from what runs", _ON_PROJECT
    ),
    Action(
        "project.span",
        ("m",),
        "span",
        "Charts over 5 minutes, 1 hour, 1 day",
        (Scope.PROJECT, Scope.COMPONENTS),
    ),
    Action("component.start", ("s",), "start", "Start the component", (Scope.COMPONENTS,), Level.WRITE, True),
    Action(
        "component.pause", ("x",), "pause", "Pause the component", (Scope.COMPONENTS,), Level.CAUTION, True
    ),
    Action(
        "component.restart", ("R",), "restart", "Restart the component", (Scope.COMPONENTS,), Level.CAUTION
    ),
    Action(
        "component.edit",
        ("e",),
        "parameters",
        "Change the component's limits and other parameters while the project runs",
        (Scope.COMPONENTS,),
        Level.WRITE,
        True,
        "edit",
    ),
    Action(
        "component.rerun",
        ("F",),
        "rerun full",
        "Run Full-Import again from the beginning",
        (Scope.COMPONENTS,),
        Level.DANGER,
    ),
    Action(
        "object.trace",
        ("t",),
        "trace",
        "Follow one row by its key",
        (Scope.OBJECTS,),
        footer=True,
    ),
    Action(
        "object.samples",
        ("S",),
        "samples",
        "The newest messages, live",
        (Scope.OBJECTS,),
        footer=True,
    ),
    Action(
        "object.ddl",
        ("d",),
        "ddl",
        "The statement that makes the table, as its source has it now",
        (Scope.OBJECTS,),
        footer=True,
    ),
    Action("source.test", ("t",), "test", "Connect and say what was found", (Scope.SOURCES,), footer=True),
    Action(
        "source.describe",
        ("d",),
        "describe",
        "Capabilities, rights, and statements that grant what is missing",
        (Scope.SOURCES,),
        footer=True,
    ),
    Action("source.edit", ("e",), "edit", "Edit the simple fields", (Scope.SOURCES,), Level.WRITE, True),
    Action("source.copy", ("C",), "copy", "Make a data source from this one", (Scope.SOURCES,), Level.WRITE),
    Action(
        "source.delete",
        ("D",),
        "delete",
        "Delete one that no project uses",
        (Scope.SOURCES,),
        Level.DANGER,
    ),
    Action(
        "source.orphans",
        ("O",),
        "drop orphans",
        "Drop view logs of lost projects",
        (Scope.SOURCES,),
        Level.DANGER,
    ),
    Action(
        "source.logs", ("o",), "view logs", "View logs on the source, and who owns them", (Scope.SOURCES,)
    ),
    Action("log.level", ("v",), "level", "Show only this level and above", (Scope.LOGS,), footer=True),
    Action("log.component", ("c",), "component", "The log of the next component", (Scope.LOGS,), footer=True),
    Action(
        "log.search",
        ("S",),
        "search all",
        "Only lines with a text, of the whole log and not only of what is loaded",
        (Scope.LOGS,),
        footer=True,
    ),
    Action("log.follow", ("f",), "follow", "Follow the end", (Scope.LOGS,), footer=True),
    Action("text.wrap", ("w",), "wrap", "Wrap long lines", _TEXTS, footer=True),
    Action("mark", ("space",), "mark", "Mark for an action on several", _LIST),
    Action("mark.all", ("asterisk",), "mark all", "Mark all that are shown, or none", _LIST),
    Action("sort.right", ("greater_than_sign",), "sort", "Order by the next column", _LIST),
    Action("sort.left", ("less_than_sign",), "sort back", "Order by the column before", _LIST),
    Action("sort.invert", ("I",), "invert", "Turn the order round", _LIST),
    Action("columns.wide", ("W",), "wide", "Show all columns", _LIST),
    Action("copy.value", ("y",), "copy", "Copy the name or line under the cursor", _ALL),
    Action("copy.row", ("Y",), "copy row", "Copy the row as JSON, a text in full", _ALL),
    Action("export", ("E",), "export", "Write what is shown to a CSV and a JSON file", _ALL),
    Action("paint.pause", ("p",), "freeze", "Freeze and unfreeze the picture; the projects go on", _ALL),
    Action("refresh", ("r",), "refresh", "Ask the engine now", _ALL),
    Action("redraw", ("ctrl+l",), "redraw", "Draw the screen again", _ALL),
    Action("theme", ("ctrl+t",), "theme", "Next theme", _ALL),
    Action(
        "quit", ("q",), "leave", "Leave the view; on the first one quit the console, the engine goes on", _ALL
    ),
    Action(
        "quit.stop", ("Q",), "stop engine", "Quit and stop the engine with all projects", _ALL, Level.DANGER
    ),
)
BY_ID = {action.id: action for action in ACTIONS}

# Keys that terminals cannot tell from others, that multiplexers and terminals take, or that end something elsewhere.
RESERVED = frozenset(
    {f"ctrl+{letter}" for letter in "abdhijmqsz"}
    | {"ctrl+left_square_bracket", "ctrl+backslash", "f10", "f11", "ctrl+enter", "ctrl+c"}
)


def actions_in(scopes: tuple[Scope, ...]) -> tuple[Action, ...]:
    """The actions of a view, those of its own before those of every view."""
    own = [action for action in ACTIONS if any(scope in action.scopes for scope in scopes)]
    own = [action for action in own if Scope.ALL not in action.scopes]
    taken = {action.id for action in own}
    return (*own, *(action for action in ACTIONS if Scope.ALL in action.scopes and action.id not in taken))
