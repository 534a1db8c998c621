"""`obsync source`: data sources."""

import argparse
from collections.abc import Callable
from pathlib import Path

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Named, Nothing, PutSource, Rename, Seal
from obsync_tui.cli import exit_codes
from obsync_tui.cli.checks import show_results
from obsync_tui.cli.command_line import parse_command_line
from obsync_tui.cli.output import complete, note, show_complete, show_json, show_table
from obsync_tui.cli.passwords import secret_option
from obsync_tui.cli.session import Session
from obsync_tui.model.datasource import (
    DataSource,
    KafkaSource,
    LogChoice,
    MySQLSource,
    OceanBaseSource,
    Sasl,
    Tls,
    secret_of,
    with_secret,
)
from obsync_tui.model.errors import ConfigError

_SQL = ("host", "port", "user", "password")
_OWN_OPTIONS = {
    "mysql": _SQL,
    "oceanbase": (*_SQL, "connection", "log", "accept_view_log_costs"),
    "kafka": ("endpoint", "sasl_mechanism", "sasl_user", "sasl_password", "property", "embedded"),
}


def add(session: Session, arguments: argparse.Namespace) -> int:
    """Write a data source's file."""
    name: str = arguments.name
    kind: str = arguments.kind
    for option in sorted({option for options in _OWN_OPTIONS.values() for option in options}):
        if option not in _OWN_OPTIONS[kind] and getattr(arguments, option) not in (None, [], False):
            raise ConfigError(f"does not apply to kind {kind}", where=_spelled(option), cure="Leave it out.")
    makers: dict[str, Callable[[Session, argparse.Namespace], DataSource]]
    makers = {"mysql": _mysql, "oceanbase": _oceanbase, "kafka": _kafka}
    source = makers[kind](session, arguments)
    session.call(op.PUT_SOURCE, PutSource(source, arguments.replace))
    print(f"written: {session.paths.sources / (name + '.toml')}")
    return exit_codes.OK


def _mysql(session: Session, arguments: argparse.Namespace) -> MySQLSource:
    _need(arguments, "host", "user")
    return MySQLSource(
        name=arguments.name,
        host=arguments.host,
        user=arguments.user,
        port=_port(arguments.port, MySQLSource),
        password=secret_option(session, "--password", arguments.password),
        tls=_tls(arguments),
    )


def _oceanbase(session: Session, arguments: argparse.Namespace) -> OceanBaseSource:
    given = parse_command_line(arguments.connection) if arguments.connection else None
    for option in _SQL:
        if given is not None and getattr(arguments, option) is None:
            setattr(arguments, option, getattr(given, option))
    _need(arguments, "host", "user")
    log = LogChoice(arguments.log or LogChoice.AUTO)
    return OceanBaseSource(
        name=arguments.name,
        host=arguments.host,
        user=arguments.user,
        port=_port(arguments.port, OceanBaseSource),
        password=secret_option(session, "--password", arguments.password),
        tls=_tls(arguments),
        log=log,
        accept_view_log_costs=arguments.accept_view_log_costs,
    )


def _port(given: int | None, kind: type[MySQLSource | OceanBaseSource]) -> int:
    if given is not None:
        return given
    return next(int(field.default) for field in msgspec.structs.fields(kind) if field.name == "port")


def _kafka(session: Session, arguments: argparse.Namespace) -> KafkaSource:
    _need(arguments, "endpoint")
    sasl = None
    if arguments.sasl_mechanism or arguments.sasl_user or arguments.sasl_password:
        _need(arguments, "sasl_mechanism")
        password = secret_option(session, "--sasl-password", arguments.sasl_password)
        sasl = Sasl(arguments.sasl_mechanism, arguments.sasl_user or "", password)
    properties: dict[str, str] = {}
    for text in arguments.property or ():
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ConfigError(
                "expected KEY=VALUE", where="--property", cure="For example --property linger.ms=5"
            )
        properties[key] = value
    try:
        return KafkaSource(
            arguments.name, arguments.endpoint, _tls(arguments), sasl, properties, arguments.embedded
        )
    except ValueError as error:
        raise ConfigError(str(error), where="--property", cure="Leave it out.") from error


def _tls(arguments: argparse.Namespace) -> Tls:
    files = {kind: getattr(arguments, f"tls_{kind}") for kind in ("ca", "cert", "key")}
    paths = {kind: str(Path(path).expanduser().absolute()) for kind, path in files.items() if path}
    no_verify: bool = arguments.tls_no_verify
    return Tls(enabled=arguments.tls or bool(paths) or no_verify, verify=not no_verify, **paths)


def _need(arguments: argparse.Namespace, *options: str) -> None:
    for option in options:
        if not getattr(arguments, option):
            raise ConfigError(f"kind {arguments.kind} needs it", where=_spelled(option), cure="Add it.")


def _spelled(option: str) -> str:
    return "--" + option.replace("_", "-")


def test(session: Session, arguments: argparse.Namespace) -> int:
    """Connect to a data source and say what was found."""
    results = session.call(op.TEST_SOURCE, Named(arguments.name))
    return show_results(results, as_json=arguments.json)


def list_all(session: Session, arguments: argparse.Namespace) -> int:
    """List the data sources; a file that is wrong is named and makes the exit code that of configuration."""
    listed = session.call(op.SOURCES, Nothing())
    if arguments.json:
        show_json(
            [complete(one.source) if one.source else {"name": one.name, "error": one.error} for one in listed]
        )
    else:
        rows = [
            (one.name, _kind(one.source), _address(one.source), ", ".join(one.used_by))
            for one in listed
            if one.source
        ]
        show_table(("NAME", "KIND", "ADDRESS", "USED BY"), rows)
    errors = [one.error for one in listed if one.error]
    for error in errors:
        note(error)
    return exit_codes.CODES[ConfigError] if errors else exit_codes.OK


def show_one(session: Session, arguments: argparse.Namespace) -> int:
    """Print a data source with all its defaults; secrets as the references they are."""
    found = session.call(op.SOURCE, Named(arguments.name)).source
    assert found is not None
    show_complete(found, as_json=arguments.json)
    return exit_codes.OK


def copy(session: Session, arguments: argparse.Namespace) -> int:
    """Write a data source of another name with the same fields and secrets."""
    session.call(op.COPY_SOURCE, Rename(arguments.name, arguments.to))
    print(f"written: {session.paths.sources / (arguments.to + '.toml')}")
    return exit_codes.OK


def delete(session: Session, arguments: argparse.Namespace) -> int:
    """Remove a data source that no project uses."""
    session.call(op.DELETE_SOURCE, Named(arguments.name))
    print(f"deleted: {arguments.name}")
    return exit_codes.OK


def seal(session: Session, arguments: argparse.Namespace) -> int:
    """Replace a reference that only this process can follow (env:, cmd:) by the sealed value: an engine that was
    started elsewhere does not see this environment.
    """
    found = session.files.source(arguments.name)
    reference = secret_of(found)
    if not reference or reference.startswith("sealed:"):
        raise ConfigError(
            "there is nothing to seal",
            where=f"source {found.name}",
            cure="Its secret is sealed, or it has none.",
        )
    value = session.secrets.resolve(reference).reveal()
    sealed = session.call(op.SEAL, Seal(value)).reference
    session.call(op.PUT_SOURCE, PutSource(with_secret(found, sealed), replace=True))
    print(f"sealed: {reference} of {found.name}")
    return exit_codes.OK


def _kind(source: DataSource) -> str:
    return str(source.__struct_config__.tag)


def _address(source: DataSource) -> str:
    return (
        source.endpoint if isinstance(source, KafkaSource) else f"{source.user}@{source.host}:{source.port}"
    )
