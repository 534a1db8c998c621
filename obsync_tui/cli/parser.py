"""The command line's grammar."""

import argparse
import inspect
from typing import NoReturn

from obsync_tui import __version__
from obsync_tui.cli import exit_codes, gap, oceanbase_source, project, source, view_logs
from obsync_tui.cli.create import create
from obsync_tui.cli.demo import demo
from obsync_tui.cli.output import note
from obsync_tui.cli.session import Session
from obsync_tui.engine.native.backend import backend
from obsync_tui.model.datasource import LogChoice
from obsync_tui.model.project import Format, Guarantee, PartitionRule, TooLarge, TopicMode

PASSWORD = "env:NAME, file:PATH, cmd:PROGRAM, prompt, or - for a line of standard input"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI")


class Parser(argparse.ArgumentParser):
    """A parser that ends with the code for usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; words nobody asked for are not repeated, one of them could be a password."""
        words, colon, _ = message.partition("unrecognized arguments:")
        note(f"{words}unrecognized arguments" if colon else message)
        note(f"See {self.prog} --help.")
        self.exit(exit_codes.USAGE)


def parser() -> Parser:
    """The parser of the whole command; a parsed call carries its function as `command`."""
    top = Parser(
        prog="obsync",
        allow_abbrev=False,
        description="Synchronizes MySQL to Kafka: schema, full and incremental, exactly once.",
        epilog=inspect.cleandoc(exit_codes.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"obsync {__version__} ({backend()} row plans)")
    rooms = top.add_subparsers(required=True, metavar="source | project | demo")
    _add_source(
        rooms.add_parser("source", help="data sources").add_subparsers(required=True, metavar="COMMAND")
    )
    _add_project(
        rooms.add_parser("project", help="projects").add_subparsers(required=True, metavar="COMMAND")
    )
    _add_demo(rooms)
    return top


def _add_demo(rooms: "argparse._SubParsersAction[Parser]") -> None:
    text = "a shop with live orders in an embedded OceanBase, its rows and changes in Kafka; nothing stays"
    made = rooms.add_parser("demo", help=text, description=text, allow_abbrev=False)
    made.set_defaults(command=demo)
    made.add_argument("--broker", metavar="HOST:PORT", help="a Kafka to write to; default: an embedded one")
    made.add_argument(
        "--seconds", type=float, default=0, help="end so many seconds after the shop has opened"
    )
    made.add_argument("--seed", type=int, default=1, help="what the shop sells and to whom")


def _named(commands: "argparse._SubParsersAction[Parser]", name: str, text: str) -> Parser:
    made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
    made.add_argument("name", metavar="NAME")
    return made


def _json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="print JSON")


def _add_source(commands: "argparse._SubParsersAction[Parser]") -> None:
    _add_source_add(commands)
    test = _named(commands, "test", "connect to a data source and say what was found")
    test.set_defaults(command=source.test)
    _json(test)
    described = _named(
        commands, "describe", "what an OceanBase tenant offers, and the statements that grant what is missing"
    )
    described.set_defaults(command=oceanbase_source.describe)
    _json(described)
    prepared = _named(
        commands, "prepare", "print the script that makes the data source's user with the least rights"
    )
    prepared.set_defaults(command=oceanbase_source.prepare)
    prepared.add_argument(
        "--databases", metavar="NAME,…", help="the databases to read; default: a placeholder for them"
    )
    logs = _named(commands, "logs", "list an OceanBase tenant's view logs with the projects that own them")
    logs.set_defaults(command=view_logs.logs)
    logs.add_argument(
        "--drop-orphans", action="store_true", help="drop those that a project made which is gone from here"
    )
    _json(logs)
    show = _named(commands, "show", "print a data source with all its defaults")
    show.set_defaults(command=source.show_one)
    _json(show)
    listed = commands.add_parser(
        "list", help="list the data sources", description="list the data sources", allow_abbrev=False
    )
    listed.set_defaults(command=source.list_all)
    _json(listed)
    _named(commands, "delete", "remove a data source that no project uses").set_defaults(
        command=source.delete
    )


def _add_source_add(commands: "argparse._SubParsersAction[Parser]") -> None:
    add = _named(commands, "add", "write a data source's file")
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


def _add_project(commands: "argparse._SubParsersAction[Parser]") -> None:
    _add_create(commands)
    for name, command, text in (
        ("check", project.check, "precheck: one line an item, each failure with its cure"),
        ("status", project.status, "print the project's newest numbers with their age"),
        ("show", project.show_one, "print a project with all its defaults"),
    ):
        made = _named(commands, name, text)
        made.set_defaults(command=command)
        _json(made)
    listed = commands.add_parser(
        "list", help="list the projects", description="list the projects", allow_abbrev=False
    )
    listed.set_defaults(command=project.list_all)
    _json(listed)
    happened = _named(commands, "events", "print what happened: runs, schema changes, warnings, failures")
    happened.set_defaults(command=project.events)
    happened.add_argument("--limit", type=int, default=50, help="how many of the newest; default 50")
    _json(happened)
    run = _named(commands, "run", "run a project in the foreground; Ctrl-C stops it at a checkpoint")
    run.set_defaults(command=_run)
    run.add_argument(
        "--take-over", action="store_true", help="run although another host seems to run the project"
    )
    reset = _named(commands, "reset", "forget a stopped project's progress")
    reset.set_defaults(command=project.reset)
    between = _named(
        commands, "gap", "show what of the log is out of a stopped project's reach, and decide about it"
    )
    between.set_defaults(command=gap.gap)
    between.add_argument(
        "--resync", metavar="DB.TABLE,…|all", help="read these tables again at the next run, then go on"
    )
    between.add_argument(
        "--accept", action="store_true", help="give up the changes of all other tables that are out of reach"
    )
    _json(between)
    delete = _named(
        commands, "delete", "release a stopped project's checkpoint and remove its state and file"
    )
    delete.set_defaults(command=project.delete)
    delete.add_argument(
        "--local-only",
        action="store_true",
        help="leave the checkpoint topic alone: Kafka is out of reach for good",
    )
    for made in (reset, delete):
        made.add_argument("--yes", metavar="NAME", help="the project's name, instead of typing it when asked")


def _run(session: Session, arguments: argparse.Namespace) -> int:
    from obsync_tui.cli.run import run  # SQLite and threads that other commands do without

    return run(session, arguments)


def _add_create(commands: "argparse._SubParsersAction[Parser]") -> None:
    made = _named(commands, "create", "write a project's file")
    made.set_defaults(command=create)
    add = made.add_argument
    add("--from", dest="source", required=True, metavar="SOURCE", help="the data source to read from")
    add("--to", dest="destination", required=True, metavar="SOURCE", help="the data source to write to")
    add(
        "--objects",
        action="append",
        required=True,
        metavar="RULE,…",
        help="match rules such as 'shop.*'; repeatable",
    )
    add("--exclude", action="append", metavar="RULE,…", help="match rules of what is left out; repeatable")
    add("--topic", metavar="TEMPLATE", help="default '${database}_${table}'")
    add("--format", choices=[str(one) for one in Format])
    add("--partition-rule", choices=[str(one) for one in PartitionRule])
    add("--partitions", type=int, help="of topics that are created; default 3")
    add("--replication", type=int, help="of topics that are created; default: the broker's")
    add("--topics", choices=[str(one) for one in TopicMode], help="who makes the topics; default create")
    add("--delivery", choices=[str(one) for one in Guarantee], help="default exactly-once")
    add("--dml", metavar="KIND,…", help="default INSERT,UPDATE,DELETE")
    add("--steps", metavar="STEP,…", help="default schema,full,incremental")
    add("--connections", type=int, help="of Full-Import; default 2")
    add("--rows-per-s", type=int, help="limit of Full-Import; default none")
    add("--bytes-per-s", type=int, help="limit of Full-Import; default none")
    add(
        "--merge-upserts",
        action="store_true",
        default=None,
        help="send a DELETE and the INSERT of the same key right behind it as an UPDATE",
    )
    add("--ddl", action="store_true", default=None, help="send DDL records")
    add("--heartbeat-s", type=int, help="seconds between HEARTBEAT records; default none")
    add("--table", action="append", metavar="DB.TABLE=TOPIC", help="the topic of one table; repeatable")
    add(
        "--sharding",
        action="append",
        metavar="DB.TABLE=A;B",
        help="the sharding columns of one table; repeatable",
    )
    add(
        "--too-large",
        choices=[str(one) for one in TooLarge],
        help="what a message above the limit does; default stop",
    )
    add("--dead-letter-topic", metavar="TOPIC", help="where too large messages go")
