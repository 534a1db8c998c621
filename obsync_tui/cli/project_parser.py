"""The command line's grammar of projects."""

import argparse

from obsync_tui.cli import gap, lifecycle, logs, objects, project, retime
from obsync_tui.cli.create import create
from obsync_tui.cli.grammar import Commands, json_option, lines_options, named, plain
from obsync_tui.cli.session import Session
from obsync_tui.model.project import Format, Guarantee, PartitionRule, TooLarge, TopicMode


def add_project(commands: "Commands") -> None:
    _add_create(commands)
    for name, command, text in (
        ("check", project.check, "precheck: one line an item, each failure with its cure"),
        ("status", project.status, "print the project's newest numbers with their age"),
        ("show", project.show_one, "print a project with all its defaults"),
    ):
        made = named(commands, name, text)
        made.set_defaults(command=command)
        json_option(made)
    listed = plain(commands, "list", "list the projects")
    listed.set_defaults(command=project.list_all)
    listed.add_argument("--tag", help="only those with the tag")
    _add_lifecycle(commands)
    json_option(listed)
    _add_past(commands)
    run = named(
        commands,
        "run",
        "run a project in the foreground; Ctrl-C stops it at a checkpoint, or leaves it to a running engine",
    )
    run.set_defaults(command=_run)
    run.add_argument(
        "--take-over", action="store_true", help="run although another host seems to run the project"
    )
    _add_positions(commands)
    released = named(
        commands, "release", "end a stopped project for good: its checkpoint goes, its history stays"
    )
    released.set_defaults(command=project.release)
    delete = named(commands, "delete", "release a stopped project's checkpoint and remove its state and file")
    delete.set_defaults(command=project.delete)
    for made in (released, delete):
        made.add_argument(
            "--local-only",
            action="store_true",
            help="leave the checkpoint topic alone: Kafka is out of reach for good",
        )
    for made in (released, delete):
        _yes(made)


def _add_positions(commands: "Commands") -> None:
    reset = named(commands, "reset", "forget a stopped project's progress")
    reset.set_defaults(command=project.reset)
    between = named(
        commands, "gap", "show what of the log is out of a stopped project's reach, and decide about it"
    )
    between.set_defaults(command=gap.gap)
    between.add_argument(
        "--resync", metavar="DB.TABLE,…|all", help="read these tables again at the next run, then go on"
    )
    between.add_argument(
        "--accept", action="store_true", help="give up the changes of all other tables that are out of reach"
    )
    json_option(between)
    retimed = named(commands, "retime", "set a stopped project to a point of time")
    retimed.set_defaults(command=retime.retime)
    retimed.add_argument(
        "--at", required=True, metavar="TIME", help="ISO 8601 with its zone, or seconds since 1970"
    )
    retimed.add_argument(
        "--resync", metavar="DB.TABLE,…|all", help="read these tables again at the next run, then go on"
    )
    json_option(retimed)
    for made in (reset, retimed):
        _yes(made)


def _yes(made: argparse.ArgumentParser) -> None:
    made.add_argument("--yes", metavar="NAME", help="the project's name, instead of typing it when asked")


def _add_past(commands: "Commands") -> None:
    written = named(commands, "logs", "print a component's newest log lines")
    written.set_defaults(command=logs.logs)
    written.add_argument(
        "--component", choices=("project", "store", "connector", "full-import"), default="project"
    )
    lines_options(written)
    written.add_argument("--follow", action="store_true", help="go on with the lines that come")
    json_option(written)
    traced = named(commands, "trace", "what became of the newest changes of a row")
    traced.set_defaults(command=logs.trace)
    traced.add_argument("table", metavar="DB.TABLE")
    traced.add_argument(
        "key", metavar="KEY", nargs="+", help="the key as messages have it, a word for each column"
    )
    json_option(traced)
    made = named(commands, "ddl", "print the statement that makes a table, as the source has it now")
    made.set_defaults(command=logs.ddl)
    made.add_argument("table", metavar="DB.TABLE")
    json_option(made)
    measured = named(commands, "metrics", "print a project's metrics over the last minutes")
    measured.set_defaults(command=logs.metrics)
    measured.add_argument("--minutes", type=float, default=10, help="how far back; default 10")
    measured.add_argument("--points", type=int, default=20, help="how many at most; default 20")
    measured.add_argument(
        "--metrics", metavar="NAME,…", help="such as delivery_lag_s,rows_per_s; default all"
    )
    json_option(measured)
    happened = named(commands, "events", "print what happened: runs, schema changes, warnings, failures")
    happened.set_defaults(command=project.events)
    happened.add_argument("--limit", type=int, default=50, help="how many of the newest; default 50")
    json_option(happened)


def _add_lifecycle(commands: "Commands") -> None:
    for action, text in (
        ("start", "let the engine run projects"),
        ("pause", "stop projects at a checkpoint"),
        ("resume", "go on with paused or failed projects from their checkpoints"),
    ):
        made = plain(commands, action, text)
        made.set_defaults(command=lifecycle.act, action=action)
        made.add_argument("names", metavar="NAME", nargs="*")
        made.add_argument("--tag", help="all projects with the tag")
        if action != "pause":
            made.add_argument(
                "--take-over", action="store_true", help="although another host seems to run the project"
            )
        json_option(made)
    applied = named(commands, "apply", "let a running project take its edited file in; shows the difference")
    applied.set_defaults(command=lifecycle.apply)
    changed = named(commands, "objects", "show a project's tables, add some to it or remove some")
    changed.set_defaults(command=objects.objects)
    for option, what in (("--add", "add these"), ("--remove", "remove these")):
        changed.add_argument(
            option, action="append", metavar="RULE,…", help=f"{what} match rules; repeatable"
        )
    changed.add_argument("--cancel", action="store_true", help="take back the change that is open")
    json_option(changed)
    for name, command, text in (
        ("rename", project.rename, "give a project another name; its progress stays"),
        ("clone", project.clone, "write a project of another name with the same options"),
    ):
        made = named(commands, name, text)
        made.set_defaults(command=command)
        made.add_argument("to", metavar="NEW")
    part = named(commands, "component", "act on a component of a running project")
    part.set_defaults(command=lifecycle.component)
    part.add_argument("component", choices=("store", "connector", "full-import"))
    part.add_argument("action", choices=("start", "pause", "restart", "rerun"))
    part.add_argument("--tables", metavar="DB.TABLE,…", help="rerun: these tables; default all")


def _run(session: Session, arguments: argparse.Namespace) -> int:
    from obsync_tui.cli.run import run  # SQLite and threads that other commands do without

    return run(session, arguments)


def _add_create(commands: "Commands") -> None:
    made = named(commands, "create", "write a project's file")
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
    add(
        "--start",
        metavar="TIME",
        help="where the stream begins without the step full, as retime --at takes it; default now",
    )
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
    add("--tag", action="append", metavar="TAG,…", help="groups projects for lists and batches; repeatable")
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
