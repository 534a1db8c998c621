"""What the doctor looks at, as plain data: checks are functions of it, and tests make it up.

None stands for what this machine does not tell. Sizes are in bytes, times in seconds of the UTC epoch.
"""

import msgspec

from obsync_tui.config.files import Listed

# The state of a process that a signal stopped, in proc(5).
STOPPED = "T"


class Interpreter(msgspec.Struct, frozen=True):
    """The Python that runs obsync; `backend_problem` is why the chosen back-end of row plans cannot run."""

    version: tuple[int, int, int]
    implementation: str
    executable: str
    backend: str
    backend_problem: str = ""
    backend_cure: str = ""


class Terminal(msgspec.Struct, frozen=True):
    """The terminal of this command; `asks` is whether a password can be asked for on it without an echo."""

    term: str
    colorterm: str
    no_color: bool
    input_is: bool
    output_is: bool
    asks: bool
    columns: int
    rows: int
    encoding: str
    multiplexer: str = ""
    ssh: bool = False


class Locale(msgspec.Struct, frozen=True):
    """The locale that the environment asks for by `variable` (empty: by none), and its character set."""

    variable: str
    name: str
    there: bool
    charset: str


class Login(msgspec.Struct, frozen=True):
    """What happens to processes of `user` at logout; `scope` is the unit that this process is in."""

    user: str
    systemd: bool
    linger: bool | None = None
    kills: bool | None = None
    user_unit: bool = False
    scope: str = ""


class Memory(msgspec.Struct, frozen=True):
    """How much memory the engine may take: its control group's limit, and what the machine has free."""

    limit_bytes: int | None
    available_bytes: int | None


class Place(msgspec.Struct, frozen=True):
    """A directory of obsync (`role` config, state or run) and the file system that it is or will be on.

    `error` is why it cannot be looked at. `free_inodes` is None where the file system does not count them.
    """

    role: str
    path: str
    exists: bool = False
    filesystem: str = ""
    mount_point: str = ""
    read_only: bool = False
    writable: bool = True
    free_bytes: int = 0
    free_inodes: int | None = None
    error: str = ""


class Entry(msgspec.Struct, frozen=True):
    """A file or directory of obsync, or a directory above (`role`): its own kind, mode and owner.

    `role` is directory, key, state, configuration, secrets, socket, socket directory or directory above; `kind` is
    file, directory, socket, link, dangling link or other. Mode and owner of a link are those of what it leads to.
    """

    role: str
    path: str
    kind: str
    mode: int
    uid: int


class Limits(msgspec.Struct, frozen=True):
    """This process's limits, None for unlimited, and the tasks of its control group."""

    open_files: int | None
    open_files_hard: int | None
    processes: int | None
    file_bytes: int | None
    address_bytes: int | None
    group_tasks_limit: int | None
    group_tasks: int | None


class Clock(msgspec.Struct, frozen=True):
    """The wall clock: `step_s` is how far it moved against the time since boot while facts were read.

    `newest_file_s` is the newest time on obsync's own files, `zone` the TZ variable.
    """

    wall_s: float
    step_s: float
    newest_file_s: float | None
    newest_file: str = ""
    zone: str = ""
    zone_known: bool = True


class State(msgspec.Struct, frozen=True):
    """`state.db`: `version` None is a file that does not exist. `faults` is what SQLite's quick_check said."""

    path: str
    version: int | None = None
    known_version: int = 0
    size_bytes: int = 0
    log_bytes: int = 0
    whole: bool = True
    faults: tuple[str, ...] = ()
    error: str = ""
    cure: str = ""


class Usage(msgspec.Struct, frozen=True):
    """What a directory holds; not `whole` when there was too much in it to count."""

    path: str
    size_bytes: int
    files: int
    whole: bool = True


class Lock(msgspec.Struct, frozen=True):
    """The lock file of a project, or of the home (`project_id` is empty).

    `pid` is who wrote it, `process` that process's state (empty: gone). `held` is None where this machine does not
    tell who holds locks.
    """

    path: str
    project_id: str
    pid: int
    held: bool | None
    process: str = ""


class Facts(msgspec.Struct, frozen=True):
    """Everything that was read, at one time."""

    uid: int
    interpreter: Interpreter
    terminal: Terminal
    locale: Locale
    login: Login
    memory: Memory
    limits: Limits
    clock: Clock
    places: tuple[Place, ...]
    entries: tuple[Entry, ...]
    state: State
    usage: tuple[Usage, ...]
    locks: tuple[Lock, ...]
    home: Lock | None
    sources: tuple[Listed, ...]
    projects: tuple[Listed, ...]


class Engine(msgspec.Struct, frozen=True):
    """What a client found at the engine's socket: the version and process of who answers, or what is wrong.

    Without `version` and `problem` nobody answers.
    """

    socket: str
    version: str = ""
    pid: int = 0
    problem: str = ""
    cure: str = ""
