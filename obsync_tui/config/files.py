"""Data sources and projects as TOML files: `sources/<name>.toml`, `projects/<name>.toml`.

Files are written without what equals its default and may be written by hand. Every error names file, line and key,
and never a value that could be a secret.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import tomli_w

from obsync_tui.config.lines import key_path, line_of
from obsync_tui.config.paths import Paths, sync_directory, unusable, write_private
from obsync_tui.config.scope import with_scope
from obsync_tui.config.secrets import parse_reference
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource, SqlSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.objects import Scope
from obsync_tui.model.project import ID_PATTERN, Project, is_name, new_project_id
from obsync_tui.model.secret import SecretReference

MAX_SIZE_BYTES = 8 * 1024 * 1024
_VALIDATION = re.compile(r"(?s)(?P<what>.*?)(?: - at `(?:key` in `)?(?P<path>\$[^`]*)`)?\Z")
_SYNTAX = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)\Z", re.DOTALL)
_ID = re.compile(ID_PATTERN.removeprefix(r"\A").removesuffix(r"\Z"))
_FIELD = re.compile(r"(?:unknown|required) field `([^`]*)`")


class Listed(msgspec.Struct, frozen=True):
    """A name found in a directory and, when its file cannot be used, the reason."""

    name: str
    source: DataSource | None = None
    project: Project | None = None
    error: str = ""


class ConfigFiles(msgspec.Struct, frozen=True):
    """The files of data sources and projects below `paths.config`."""

    paths: Paths

    def source(self, name: str) -> DataSource:
        """The data source; ConfigError when there is none or its file is wrong."""
        path = _file(self.paths.sources, name, "data source")
        text = _content(path)
        source = _source(path, text)
        _same_name(path, text, source.name)
        return source

    def project(self, name: str) -> Project:
        """The project; ConfigError when there is none, its file is wrong, or another file has its id."""
        _, project = self.read_project(name)
        self._unique(_path(self.paths.projects, name, "project"), project, self._mentions())
        return project

    def read_project(self, name: str) -> tuple[str, Project]:
        """The text of a project's file and the project, whatever ids other files have; ConfigError."""
        path = _file(self.paths.projects, name, "project")
        text = _content(path)
        project = _project(path, text)
        _same_name(path, text, project.name)
        return text, project

    def source_of(self, project: Project) -> SqlSource:
        """The project's source; ConfigError when it is missing or of a kind that cannot be read from."""
        source = self.source(project.source)
        if not isinstance(source, MySQLSource | OceanBaseSource):
            raise ConfigError(
                f"{source.name} is no source to read from",
                where=f"project {project.name}, from",
                cure="Name one of kind mysql or oceanbase.",
            )
        return source

    def destination_of(self, project: Project) -> KafkaSource:
        """The project's destination; ConfigError when it is missing or of a kind that cannot be written to."""
        destination = self.source(project.destination)
        if not isinstance(destination, KafkaSource):
            raise ConfigError(
                f"{destination.name} is no destination to write to",
                where=f"project {project.name}, to",
                cure="Name one of kind kafka.",
            )
        return destination

    def sources(self) -> list[Listed]:
        """Every data source by name; one whose file is wrong stands there with its error."""
        listed = []
        for name in _names(self.paths.sources):
            try:
                listed.append(Listed(name, source=self.source(name)))
            except ConfigError as error:
                listed.append(Listed(name, error=str(error)))
        return listed

    def projects(self) -> list[Listed]:
        """Every project by name; one whose file is wrong stands there with its error."""
        listed = []
        mentions = self._mentions()
        for name in _names(self.paths.projects):
            try:
                _, project = self.read_project(name)
                self._unique(_path(self.paths.projects, name, "project"), project, mentions)
                listed.append(Listed(name, project=project))
            except ConfigError as error:
                listed.append(Listed(name, error=str(error)))
        return listed

    def has_source(self, name: str) -> bool:
        """Whether there is a file for the data source."""
        return _path(self.paths.sources, name, "data source").exists()

    def has_project(self, name: str) -> bool:
        """Whether there is a file for the project."""
        return _path(self.paths.projects, name, "project").exists()

    def write_source(self, source: DataSource) -> Path:
        """Write the data source's file; ConfigError for values that could not be read back."""
        path = _path(self.paths.sources, source.name, "data source")
        content = _toml(source)
        _source(path, content)
        write_private(path, content.encode())
        return path

    def write_project(self, project: Project) -> Path:
        """Write the project's file; ConfigError for values that could not be read back."""
        path = _path(self.paths.projects, project.name, "project")
        content = _toml(project)
        _project(path, content)
        self._unique(path, project, self._mentions())
        write_private(path, content.encode())
        return path

    def rename_project(self, project: Project, name: str) -> Path:
        """Give the project another name, in its file and of its file; a crash between leaves one that is whole.

        Comments stay. ConfigError when the file does not say its name where it is expected.
        """
        old, path = (
            _file(self.paths.projects, project.name, "project"),
            _path(self.paths.projects, name, "project"),
        )
        text = _content(old)
        renamed = re.sub(
            rf"""(?m)^(name\s*=\s*)(["']){re.escape(project.name)}\2""",
            lambda found: f'{found[1]}"{name}"',
            text,
            count=1,
        )
        if _project(path, renamed).name != name:
            raise ConfigError(
                "does not say its name on a line of its own", where=str(old), cure="Edit the file."
            )
        # The name is wrong for the old file from here on, which is told; two files of one id are refused, too.
        write_private(path, renamed.encode())
        _remove(old)
        return path

    def write_scope(self, project: Project, scope: Scope) -> Project:
        """Put other include and exclude rules into the project's file; comments stay. Answers the project it then is.

        ConfigError when the file is not that of `project` any more, or they do not stand where they are expected.
        """
        path = _file(self.paths.projects, project.name, "project")
        text = _content(path)
        objects = msgspec.structs.replace(project.objects, include=scope.include, exclude=scope.exclude)
        wanted = msgspec.structs.replace(project, objects=objects)
        content = with_scope(text, scope)
        if _project(path, text) != project or _project(path, content) != wanted:
            raise ConfigError(
                "does not hold what was read", where=str(path), cure="Look at the file, then try again."
            )
        write_private(path, content.encode())
        return wanted

    def delete_source(self, name: str) -> None:
        """Remove the data source's file; ConfigError when there is none."""
        _remove(_file(self.paths.sources, name, "data source"))

    def delete_project(self, name: str) -> None:
        """Remove the project's file; ConfigError when there is none."""
        _remove(_file(self.paths.projects, name, "project"))

    def _unique(self, path: Path, project: Project, mentions: Mapping[str, Sequence[Path]]) -> None:
        """Refuse an id that stands in another file: two projects would share one checkpoint."""
        for other in mentions.get(project.id, ()):
            if other == path:
                continue
            try:
                twin = tomllib.loads(_content(other)).get("id") == project.id
            except tomllib.TOMLDecodeError:
                twin = False
            if twin:
                raise ConfigError(
                    f"has the id of {other.name} ({project.id})",
                    where=str(path),
                    cure=f'A copy is another project: give it id = "{new_project_id()}".',
                )

    def _mentions(self) -> dict[str, list[Path]]:
        """The projects' files that each id stands in; one that cannot be read says so itself."""
        found: dict[str, list[Path]] = {}
        for name in _names(self.paths.projects):
            path = self.paths.projects / f"{name}.toml"
            try:
                text = _content(path)
            except ConfigError:
                continue
            for project_id in set(_ID.findall(text)):
                found.setdefault(project_id, []).append(path)
        return found


def encode_hook(value: object) -> str:
    """References as the text they are, for msgspec's encoders."""
    if isinstance(value, SecretReference):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def decode_hook(kind: type, value: object) -> SecretReference:
    """References from the text they are, for msgspec's decoders; ValueError for a secret in clear."""
    if kind is not SecretReference:
        raise NotImplementedError(kind.__name__)
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    return parse_reference(value)


def _toml(value: DataSource | Project) -> str:
    document = msgspec.to_builtins(value, enc_hook=encode_hook)
    # A table of nothing but defaults is a default itself.
    document = {key: item for key, item in document.items() if item != {}}
    text: str = tomli_w.dumps(document)
    return text


def _path(directory: Path, name: str, what: str) -> Path:
    if not is_name(name):
        raise ConfigError(
            f"{name!r} is not a name",
            where=what,
            cure="Use letters, digits, _ and -, at most 64.",
        )
    return directory / f"{name}.toml"


def _file(directory: Path, name: str, what: str) -> Path:
    path = _path(directory, name, what)
    if not path.exists():
        known = ", ".join(_names(directory)) or "none"
        raise ConfigError(
            f"there is no {what} {name!r}", where=str(directory), cure=f"Known: {known}.", missing=True
        )
    return path


def _names(directory: Path) -> list[str]:
    try:
        return sorted(path.stem for path in directory.glob("*.toml") if not path.name.startswith("."))
    except OSError as error:
        raise unusable(directory, "read", error) from error


def _content(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_SIZE_BYTES:
            raise ConfigError(
                f"is larger than {MAX_SIZE_BYTES} bytes", where=str(path), cure="Is it the right file?"
            )
        return content.decode().replace("\r\n", "\n")
    except OSError as error:
        raise unusable(path, "read", error) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", where=_where(path, line), cure="Save the file as UTF-8.") from error


def _where(path: Path, line: int, key: str = "") -> str:
    return f"{path}, line {line}, key {key}" if key else f"{path}, line {line}"


def _source(path: Path, text: str) -> DataSource:
    with _located(path, text):
        source: DataSource = msgspec.convert(tomllib.loads(text), DataSource, dec_hook=decode_hook)
        return source


def _project(path: Path, text: str) -> Project:
    with _located(path, text):
        return msgspec.convert(tomllib.loads(text), Project, dec_hook=decode_hook)


@contextmanager
def _located(path: Path, text: str) -> Iterator[None]:
    """Turn what tomllib and msgspec find wrong into a ConfigError with file, line and key."""
    try:
        yield
    except tomllib.TOMLDecodeError as error:
        what, line = str(error), text.count("\n") + 1
        if match := _SYNTAX.match(what):
            what, line = match["what"], int(match["line"])
        raise ConfigError(
            f"is not TOML: {what}", where=_where(path, line), cure="Correct that line (https://toml.io)."
        ) from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", where=str(path), cure="Write the file anew.") from error
    except msgspec.ValidationError as error:
        raise _invalid(path, text, str(error)) from error


def _invalid(path: Path, text: str, message: str) -> ConfigError:
    match = _VALIDATION.match(message)
    what, steps = (match["what"], key_path(match["path"] or "$")) if match else (message, ())
    cure = "Correct the value."
    if field := _FIELD.search(what):
        missing = "required" in field[0]
        if not missing:
            steps = (*steps, field[1])
        what = f"the key {field[1]!r} is {'missing' if missing else 'unknown'}"
        cure = f"Add {field[1]!r}." if missing else f"Remove or correct {field[1]!r}."
        if missing and steps == () and field[1] == "id":
            cure = f'Add the line id = "{new_project_id()}".'
    key = ".".join(str(step) for step in steps)
    return ConfigError(what, where=_where(path, line_of(text, steps), key), cure=cure)


def _same_name(path: Path, text: str, name: str) -> None:
    if name != path.stem:
        raise ConfigError(
            f"the file says name = {name!r}, its own name says {path.stem!r}",
            where=_where(path, line_of(text, ("name",)), "name"),
            cure=f"Rename the file to {name}.toml or the name in it to {path.stem!r}.",
        )


def _remove(path: Path) -> None:
    try:
        path.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise unusable(path, "removed", error) from error
