"""The demo: python -m tests.demo [--seconds N] [--seed N]."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from contextlib import ExitStack
from textwrap import fill

from tests.demo.command import CommandFailed, Obsync, Running
from tests.demo.messages import HEADER, Change, Reader
from tests.demo.screen import Screen
from tests.demo.shop import RIGHTS, LiveShop, all_rows, load
from tests.servers import KafkaBroker, MySQLServer, ServerFailed
from tests.servers.downloads import MissingPrerequisite

PROJECT = "orders"
# Rows of Full-Import that are shown of each table; the others are counted.
SHOWN_ROWS = 3
SETTLE_S = 10.0
PAUSE_S = 0.8


class Demo:
    """One showing, from the servers' start to their end."""

    def __init__(self, seed: int) -> None:
        self._screen = Screen()
        self._say = self._screen.say
        self._rng = random.Random(seed)
        self._loaded = 0
        self._row_counts: dict[str, int] = {}
        self._said_notes = 0

    def show(self, seconds: float) -> int:
        """Show everything; exit code 0 when the messages add up to the tables."""
        say = self._say
        say("obsync demo: a shop in MySQL, its rows and changes in Kafka. Everything is on")
        say("127.0.0.1 and removed at the end. Ctrl-C ends it.")
        with ExitStack() as stack:
            mysql, kafka = self._servers(stack)
            obsync = Obsync(mysql.directory / "obsync", say)
            self._configure(obsync, mysql, kafka)
            say("5. Run the project. What exists comes first, then every change as it is made:")
            running = obsync.start("project", "run", PROJECT)
            stack.callback(running.kill)
            shop = LiveShop(mysql, self._rng, PAUSE_S)
            stack.callback(shop.stop)
            reader = Reader(kafka.bootstrap)
            stack.callback(reader.close)
            say()
            say(HEADER)
            try:
                self._watch(running, reader, shop, seconds)
            except KeyboardInterrupt:
                self._screen.status("")
            return self._end(obsync, mysql, running, reader, shop)

    def _servers(self, stack: ExitStack) -> tuple[MySQLServer, KafkaBroker]:
        self._say()
        self._say("1. Start MySQL 5.7 and Kafka (downloaded once, the first time).")
        mysql = stack.enter_context(MySQLServer("5.7"))
        self._say(f"  MySQL  mysql --protocol=tcp -h 127.0.0.1 -P {mysql.port} -u root")
        kafka = stack.enter_context(KafkaBroker())
        self._say(f"  Kafka  {kafka.bootstrap}")
        self._say()
        self._say("2. Load the shop, and a user with the rights that obsync needs:")
        for statement in RIGHTS[1:]:
            self._say(
                f"  {statement.replace(' TO ', chr(10) + '    TO ') if len(statement) > 76 else statement}"
            )
        self._loaded = load(mysql, self._rng)
        self._say(f"  {self._loaded} rows in items, customers and orders")
        return mysql, kafka

    def _configure(self, obsync: Obsync, mysql: MySQLServer, kafka: KafkaBroker) -> None:
        self._say()
        self._say("3. Name the two data sources:")
        address = ("--host", "127.0.0.1", "--port", str(mysql.port), "--user", "obsync")
        obsync.run("source", "add", "shop", "--kind", "mysql", *address, "--password", "env:SHOP_PASSWORD")
        obsync.run("source", "add", "events", "--kind", "kafka", "--endpoint", kafka.bootstrap)
        self._say()
        self._say("4. Create a project: all tables of the shop but the temporary ones:")
        objects = ("--objects", "shop.*", "--exclude", "shop.tmp_*")
        obsync.run("project", "create", PROJECT, "--from", "shop", "--to", "events", *objects)
        obsync.show("project", "check", PROJECT)
        lines = obsync.run("project", "check", PROJECT, show=False).splitlines()
        self._say(f"  {sum(line.startswith('pass ') for line in lines)} of {len(lines)} checks pass")
        for line in lines:
            if not line.startswith("pass "):
                self._say(fill(line, 78, initial_indent="  ", subsequent_indent="    "))
        self._say()

    def _watch(self, running: Running, reader: Reader, shop: LiveShop, seconds: float) -> None:
        """Print messages until the time is over or the project ends; the shop opens when its rows have arrived."""
        end_s = time.monotonic() + seconds if seconds else float("inf")
        status_s = 0.0
        while time.monotonic() < end_s and not running.ended:
            for change in reader.read():
                self._print(change)
            if shop.ident is None and reader.counts.get("ROW") == self._loaded:
                self._say_row_counts()
                shop.start()
            self._say_notes(running)
            if time.monotonic() >= status_s and running.status:
                status_s = time.monotonic() + self._screen.status_every_s
                self._screen.status(running.status)
        self._screen.status("")

    def _print(self, change: Change) -> None:
        if change.kind != "ROW":
            self._say(change.line())
            return
        count = self._row_counts[change.topic] = self._row_counts.get(change.topic, 0) + 1
        if count <= SHOWN_ROWS:
            self._say(change.line())

    def _say_row_counts(self) -> None:
        for topic, count in sorted(self._row_counts.items()):
            self._say(f"{topic:<14} … {count} rows in all")

    def _say_notes(self, running: Running) -> None:
        for note in running.notes[self._said_notes :]:
            self._say(note)
        self._said_notes = len(running.notes)

    def _end(
        self, obsync: Obsync, mysql: MySQLServer, running: Running, reader: Reader, shop: LiveShop
    ) -> int:
        self._say()
        if running.ended:
            self._say_notes(running)
            self._say(f"The project ended by itself with exit code {running.stop()}: {running.status}")
            return 1
        shop.stop()
        same = self._settle(mysql, reader)
        self._say("6. Stop it with Ctrl-C: it ends at a checkpoint and would go on from there.")
        code = running.stop()
        obsync.run("project", "status", PROJECT)
        self._say()
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(reader.counts.items()))
        self._say(f"{sum(reader.counts.values())} messages of {shop.transactions} transactions: {kinds}.")
        self._say(
            "The rows that they add up to are those of the tables."
            if same
            else "The rows that they add up to are NOT those of the tables."
        )
        return 0 if same and not code else 1

    def _settle(self, mysql: MySQLServer, reader: Reader) -> bool:
        """Read on until the messages add up to the tables; False when they do not in 10 s."""
        deadline_s = time.monotonic() + SETTLE_S
        wanted = dict(all_rows(mysql))
        while time.monotonic() < deadline_s:
            for change in reader.read():
                self._print(change)
            found = {
                table: {key: tuple(row.values()) for key, row in rows.items()}
                for table, rows in reader.rows.items()
            }
            if found == wanted:
                return True
        return False


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo; exit code 0, or 1 with a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0, help="end after so many seconds of messages")
    parser.add_argument("--seed", type=int, default=1, help="what the shop sells and to whom")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return Demo(arguments.seed).show(arguments.seconds)
    except KeyboardInterrupt:
        return 130
    except (CommandFailed, MissingPrerequisite, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
