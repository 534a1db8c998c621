"""What every command starts from: where the files are, and how secrets are found."""

import os
from functools import cached_property

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.model.datasource import KafkaSource, MySQLSource, OceanBaseSource, SqlSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Project


class Session:
    """One call of the command, in this process's environment."""

    @cached_property
    def paths(self) -> Paths:
        """The directories; ConfigError when the environment names wrong ones."""
        return Paths.of(os.environ)

    @cached_property
    def files(self) -> ConfigFiles:
        """The configuration files."""
        return ConfigFiles(self.paths)

    @cached_property
    def secrets(self) -> SecretResolver:
        """Finds and seals secrets."""
        return SecretResolver(self.paths.key_file, os.environ)

    def source_of(self, project: Project) -> SqlSource:
        """The project's source; ConfigError when it is missing or of a kind that cannot be read from."""
        source = self.files.source(project.source)
        if not isinstance(source, MySQLSource | OceanBaseSource):
            raise ConfigError(
                f"{source.name} is no source to read from",
                where=f"project {project.name}, from",
                cure="Name one of kind mysql or oceanbase.",
            )
        return source

    def destination_of(self, project: Project) -> KafkaSource:
        """The project's destination; ConfigError when it is missing or of a kind that cannot be written to."""
        destination = self.files.source(project.destination)
        if not isinstance(destination, KafkaSource):
            raise ConfigError(
                f"{destination.name} is no destination to write to",
                where=f"project {project.name}, to",
                cure="Name one of kind kafka.",
            )
        return destination
