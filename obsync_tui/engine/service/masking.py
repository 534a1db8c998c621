"""Sealed secrets do not leave the engine: clients see a mask, and give it back for "as it was"."""

from obsync_tui.model.datasource import DataSource, secret_of, with_secret
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import SecretReference

MASK = SecretReference("sealed:***")


def masked(source: DataSource) -> DataSource:
    """The data source with its sealed secret masked."""
    return with_secret(source, MASK) if secret_of(source).startswith("sealed:") else source


def is_masked(source: DataSource) -> bool:
    """Whether a mask stands for the secret."""
    return secret_of(source) == MASK


def unmasked(given: DataSource, standing: DataSource) -> DataSource:
    """The data source with the secret that stands in its file; ConfigError when that has none for this kind."""
    if type(given) is not type(standing) or not secret_of(standing):
        raise ConfigError(
            "the secret is a mask, and none stands in the file",
            where=f"source {given.name}",
            cure="Enter the password again.",
        )
    return with_secret(given, secret_of(standing))
