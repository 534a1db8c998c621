"""Sealed secrets do not leave the engine: clients see a mask, and give it back for "as it was"."""

import msgspec

from obsync_tui.model.datasource import DataSource, KafkaSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import SecretReference

MASK = SecretReference("sealed:***")


def masked(source: DataSource) -> DataSource:
    """The data source with its sealed secret masked."""
    return _with_secret(source, MASK) if _secret(source).startswith("sealed:") else source


def is_masked(source: DataSource) -> bool:
    """Whether a mask stands for the secret."""
    return _secret(source) == MASK


def unmasked(given: DataSource, standing: DataSource) -> DataSource:
    """The data source with the secret that stands in its file; ConfigError when that has none for this kind."""
    if type(given) is not type(standing) or not _secret(standing):
        raise ConfigError(
            "the secret is a mask, and none stands in the file",
            where=f"source {given.name}",
            cure="Enter the password again.",
        )
    return _with_secret(given, _secret(standing))


def _secret(source: DataSource) -> SecretReference:
    if isinstance(source, KafkaSource):
        return source.sasl.password if source.sasl else SecretReference("")
    return source.password


def _with_secret(source: DataSource, secret: SecretReference) -> DataSource:
    if isinstance(source, KafkaSource):
        sasl = msgspec.structs.replace(source.sasl, password=secret) if source.sasl else None
        return msgspec.structs.replace(source, sasl=sasl)
    return msgspec.structs.replace(source, password=secret)
