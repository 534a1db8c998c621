"""The command line's grammar."""

import argparse
import inspect

from obsync_tui import __version__
from obsync_tui.cli import engine, exit_codes, oceanbase_source, source, view_logs
from obsync_tui.cli.console import add_console
from obsync_tui.cli.demo import demo
from obsync_tui.cli.doctor import doctor
from obsync_tui.cli.engine_unit import unit
from obsync_tui.cli.grammar import Commands, Parser, json_option, lines_options, named, plain
from obsync_tui.cli.project_parser import add_project
from obsync_tui.engine.native.backend import backend
from obsync_tui.model.datasource import LogChoice

PASSWORD = "env:NAME, file:PATH, cmd:PROGRAM, prompt, or - for a line of standard input"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI")


def parser() -> Parser:
    """The parser of the whole command; a parsed call carries its function as `command`."""
    top = Parser(
        prog="obsync",
        allow_abbrev=False,
        description="Synchronizes MySQL to Kafka: schema, full and incremental, exactly once. "
        "Without a command the console opens.",
        epilog=inspect.cleandoc(exit_codes.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"obsync {__version__} ({backend()} row plans)")
    add_console(top)
    rooms = top.add_subparsers(metavar="source | project | engine | doctor | demo")
    _add_source(
        rooms.add_parser("source", help="data sources").add_subparsers(required=True, metavar="COMMAND")
    )
    add_project(rooms.add_parser("project", help="projects").add_subparsers(required=True, metavar="COMMAND"))
    _add_engine(
        rooms.add_parser("engine", help="the resident process").add_subparsers(
            required=True, metavar="COMMAND"
        )
    )
    made = plain(
        rooms,
        "doctor",
        "what keeps obsync from working here, from the machine to data sources, with its cure",
    )
    made.set_defaults(command=doctor)
    json_option(made)
    _add_demo(rooms)
    return top


def _add_demo(rooms: "Commands") -> None:
    text = "a shop with live orders in an embedded OceanBase, its rows and changes in Kafka; nothing stays"
    made = rooms.add_parser("demo", help=text, description=text, allow_abbrev=False)
    made.set_defaults(command=demo)
    made.add_argument("--broker", metavar="HOST:PORT", help="a Kafka to write to; default: an embedded one")
    made.add_argument(
        "--seconds", type=float, default=0, help="end so many seconds after the shop has opened"
    )
    made.add_argument("--seed", type=int, default=1, help="what the shop sells and to whom")


def _add_engine(commands: "Commands") -> None:
    for name, command, text in (
        ("run", engine.run, "run the engine in this process until a signal stops it, as a unit does"),
        ("start", engine.start, "start the engine in a session of its own; it goes on after logout"),
        ("stop", engine.stop, "stop every project at its checkpoint, then the engine"),
        ("restart", engine.restart, "stop at checkpoints, start the installed version, go on"),
        ("status", engine.status, "whether the engine runs, since when, and what it uses"),
        ("logs", engine.logs, "print the engine's newest log lines"),
    ):
        made = plain(commands, name, text)
        made.set_defaults(command=command)
        if name == "status":
            json_option(made)
        if name == "logs":
            lines_options(made)
    made = plain(
        commands, "unit", "print a systemd unit for this installation, with the commands that install it"
    )
    made.set_defaults(command=unit)
    made.add_argument("--system", action="store_true", help="for the system's manager; default: for your own")
    made.add_argument("--user", metavar="NAME", help="whom a system unit runs as; default obsync")


def _add_source(commands: "Commands") -> None:
    _add_source_add(commands)
    test = named(commands, "test", "connect to a data source and say what was found")
    test.set_defaults(command=source.test)
    json_option(test)
    described = named(
        commands, "describe", "what an OceanBase tenant offers, and the statements that grant what is missing"
    )
    described.set_defaults(command=oceanbase_source.describe)
    json_option(described)
    prepared = named(
        commands, "prepare", "print the script that makes the data source's user with the least rights"
    )
    prepared.set_defaults(command=oceanbase_source.prepare)
    prepared.add_argument(
        "--databases", metavar="NAME,…", help="the databases to read; default: a placeholder for them"
    )
    logs = named(commands, "logs", "list an OceanBase tenant's view logs with the projects that own them")
    logs.set_defaults(command=view_logs.logs)
    logs.add_argument(
        "--drop-orphans", action="store_true", help="drop those that a project made which is gone from here"
    )
    json_option(logs)
    sealing = named(
        commands,
        "seal",
        "seal the value of an env: or cmd: secret as this shell sees it, for an engine that does not",
    )
    sealing.set_defaults(command=source.seal)
    show = named(commands, "show", "print a data source with all its defaults")
    show.set_defaults(command=source.show_one)
    json_option(show)
    listed = commands.add_parser(
        "list", help="list the data sources", description="list the data sources", allow_abbrev=False
    )
    listed.set_defaults(command=source.list_all)
    json_option(listed)
    copied = named(commands, "copy", "write a data source of another name with the same fields and secrets")
    copied.set_defaults(command=source.copy)
    copied.add_argument("to", metavar="NEW")
    named(commands, "delete", "remove a data source that no project uses").set_defaults(command=source.delete)


def _add_source_add(commands: "Commands") -> None:
    add = named(commands, "add", "write a data source's file")
    add.set_defaults(command=source.add)
    add.add_argument("--kind", required=True, choices=("mysql", "oceanbase", "kafka"))
    add.add_argument("--replace", action="store_true", help="replace the data source of that name")
    sql = add.add_argument_group("kinds mysql and oceanbase")
    sql.add_argument("--host")
    sql.add_argument("--port", type=int, help="default 3306, or 2883 for OceanBase (ODP)")
    sql.add_argument("--user", help="for OceanBase user@tenant#cluster")
    sql.add_argument("--password", metavar="SECRET", help=PASSWORD)
    oceanbase = add.add_argument_group("kind oceanbase")
    oceanbase.add_argument(
        "--connection",
        metavar="TEXT",
        help="host, port and user as in 'obclient -h… -P… -u…'; options win over it",
    )
    oceanbase.add_argument(
        "--log",
        choices=[str(one) for one in LogChoice],
        help="where changes are read; default auto: Binlog Service",
    )
    oceanbase.add_argument(
        "--accept-view-log-costs",
        action="store_true",
        help="agree to what view logs cost the tables they are on",
    )
    kafka = add.add_argument_group("kind kafka")
    kafka.add_argument("--endpoint", metavar="HOST:PORT,…")
    kafka.add_argument("--sasl-mechanism", choices=MECHANISMS)
    kafka.add_argument("--sasl-user")
    kafka.add_argument("--sasl-password", metavar="SECRET", help=PASSWORD)
    kafka.add_argument(
        "--property", action="append", metavar="KEY=VALUE", help="a librdkafka property; repeatable"
    )
    kafka.add_argument(
        "--embedded",
        action="store_true",
        help="of obsync demo only: its own cluster, which keeps nothing; any other is refused with it",
    )
    tls = add.add_argument_group("TLS")
    tls.add_argument("--tls", action="store_true", help="connect with TLS; implied by the other TLS options")
    tls.add_argument("--tls-ca", metavar="FILE", help="PEM file of the authority; default: the system's")
    tls.add_argument("--tls-cert", metavar="FILE", help="PEM file of the client's certificate")
    tls.add_argument("--tls-key", metavar="FILE", help="PEM file of the client's key")
    tls.add_argument("--tls-no-verify", action="store_true", help="accept any certificate")
