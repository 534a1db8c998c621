"""One showing of the demo, from the servers' start to their end."""

import json
import random
import time
from contextlib import ExitStack
from textwrap import fill

from confluent_kafka import KafkaException

from obsync_tui.demo.command import Obsync, Running
from obsync_tui.demo.interruption import Interruption
from obsync_tui.demo.kafka import EmbeddedKafka, Kafka, RealKafka
from obsync_tui.demo.messages import HEADER, Change, Reader
from obsync_tui.demo.oceanbase import EmbeddedOceanBase, require_engine
from obsync_tui.demo.screen import Screen
from obsync_tui.demo.shop import PASSWORD, ROWS, TABLES, USER, LiveShop, all_rows, load

PROJECT = "orders"
# Rows of Full-Import that are shown of each table; the others are counted.
SHOWN_ROWS = 3
SETTLE_S = 10.0
# Between two transactions of one of the shop's writers.
PAUSE_S = 0.8
COSTS = (
    "  There is no Binlog Service here: changes are read from view logs, one a table,\n"
    "  and one accepts that these slow writes and block DROP, TRUNCATE and MODIFY."
)


class Demo:
    """Shows OceanBase rows and changes arriving in Kafka; `broker` is a Kafka to use in place of the embedded one."""

    def __init__(self, seed: int, broker: str | None) -> None:
        self._screen = Screen()
        self._say = self._screen.say
        self._rng = random.Random(seed)
        self._broker = broker
        self._row_counts: dict[str, int] = {}
        self._said_notes = 0
        self._began_s = time.monotonic()
        self._interruption = Interruption()

    def show(self, seconds: float) -> int:
        """Show everything, for so many seconds of messages or until a signal; 0 when they add up to the tables."""
        # Left last: what tidies up is not interrupted either.
        with self._interruption, ExitStack() as stack:
            return self._show(stack, seconds)

    def _show(self, stack: ExitStack, seconds: float) -> int:
        require_engine()
        self._say("obsync demo: a shop in OceanBase, its rows and changes in Kafka. Ctrl-C ends it,")
        self._say("and nothing stays.")
        oceanbase, kafka = self._servers(stack)
        home, secrets = oceanbase.directory / "obsync", {"SHOP_PASSWORD": PASSWORD}
        obsync = Obsync(home, secrets, self._say, self._interruption.check)
        self._sources(obsync, oceanbase, kafka)
        self._shop(obsync, oceanbase)
        self._project(obsync, kafka, stack)
        self._step("5. Run the project. What exists comes first, then every change as it is made:")
        running = obsync.start("project", "run", PROJECT)
        stack.callback(running.kill)
        shop = LiveShop(oceanbase, self._rng, PAUSE_S)
        stack.callback(shop.stop)
        reader = Reader(kafka.endpoint, kafka.prefix)
        stack.callback(reader.close)
        self._say()
        self._say(HEADER)
        self._watch(running, reader, shop, seconds)
        self._screen.status("")
        return self._end(obsync, oceanbase, running, reader, shop)

    def _step(self, text: str) -> None:
        """Begin a step, unless a signal has asked for the end."""
        self._interruption.check()
        self._say()
        self._say(text)

    def _servers(self, stack: ExitStack) -> tuple[EmbeddedOceanBase, Kafka]:
        kafka: Kafka = RealKafka(self._broker) if self._broker else EmbeddedKafka()
        oceanbase = EmbeddedOceanBase()
        stack.callback(oceanbase.close)
        oceanbase.start()
        own = "" if self._broker else ", and a Kafka inside this process"
        self._step(f"1. Start OceanBase's engine{own}:")
        self._say(f"  OceanBase  mysql --protocol=tcp -h 127.0.0.1 -P {oceanbase.port} -u root")
        self._say(f"  Kafka      {kafka.endpoint}")
        self._say(f"  files      {oceanbase.directory}")
        return oceanbase, kafka

    def _sources(self, obsync: Obsync, oceanbase: EmbeddedOceanBase, kafka: Kafka) -> None:
        """They are files: the engine may still be starting."""
        self._step("2. Name the two data sources:")
        self._say(COSTS)
        address = ("--host", "127.0.0.1", "--port", str(oceanbase.port), "--user", USER)
        log = ("--log", "view-log", "--accept-view-log-costs")
        password = ("--password", "env:SHOP_PASSWORD")
        obsync.run("source", "add", "shop", "--kind", "oceanbase", *address, *password, *log)
        own = ("--embedded",) if kafka.embedded else ()
        obsync.run("source", "add", "events", "--kind", "kafka", "--endpoint", kafka.endpoint, *own)

    def _shop(self, obsync: Obsync, oceanbase: EmbeddedOceanBase) -> None:
        self._step("3. Load the shop, and make a user with the least rights by the script of:")
        oceanbase.wait(self._interruption.check)
        load(oceanbase, self._rng)
        obsync.show("source", "prepare", "shop", "--databases", "shop")
        script = obsync.run("source", "prepare", "shop", "--databases", "shop", show=False)
        statements = [line for line in script.splitlines() if line and not line.startswith("--")]
        with oceanbase.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                self._say(f"  {statement}")
                cursor.execute(statement.replace("<password>", PASSWORD))
        self._say(f"  {ROWS} rows are in items, customers and orders")

    def _project(self, obsync: Obsync, kafka: Kafka, stack: ExitStack) -> None:
        self._step("4. Create a project: all tables of the shop but the temporary ones:")
        objects = ("--objects", "shop.*", "--exclude", "shop.tmp_*")
        topics = ("--topics", "auto-create") if kafka.embedded else ("--topic", kafka.prefix + "${table}")
        obsync.run("project", "create", PROJECT, "--from", "shop", "--to", "events", *objects, *topics)
        project = json.loads(obsync.run("project", "show", PROJECT, "--json", show=False))
        made = [f"{kafka.prefix}{table}" for table in TABLES] + [f"__obsync.{project['id']}"]
        stack.callback(self._remove_topics, kafka, made)
        obsync.show("project", "check", PROJECT)
        lines = obsync.run("project", "check", PROJECT, show=False).splitlines()
        self._say(f"  {sum(line.startswith('pass ') for line in lines)} of {len(lines)} checks pass")
        for line in lines:
            if not line.startswith("pass "):
                self._wrap(line)

    def _remove_topics(self, kafka: Kafka, topics: list[str]) -> None:
        try:
            kafka.remove(topics)
        except KafkaException as error:
            self._wrap(f"topics that stay in Kafka: {', '.join(topics)}: {error.args[0].str()}")

    def _watch(self, running: Running, reader: Reader, shop: LiveShop, seconds: float) -> None:
        """Print messages until the project ends, or so long after the rows arrived, when the shop opens."""
        end_s = float("inf")
        status_s = 0.0
        while time.monotonic() < end_s and not (self._interruption.count or running.ended or shop.error):
            for change in reader.read():
                self._print(change)
            if not shop.open and reader.counts.get("ROW") == ROWS:
                self._say_row_counts()
                shop.start()
                if seconds:
                    end_s = time.monotonic() + seconds
            self._say_notes(running)
            if time.monotonic() >= status_s and running.status:
                status_s = time.monotonic() + self._screen.status_every_s
                self._screen.status(running.status)

    def _print(self, change: Change) -> None:
        if change.kind != "ROW":
            self._say(change.line())
            return
        if not self._row_counts:
            self._say(f"(the first row, {time.monotonic() - self._began_s:.1f} s after the start)")
        count = self._row_counts[change.table] = self._row_counts.get(change.table, 0) + 1
        if count <= SHOWN_ROWS:
            self._say(change.line())

    def _say_row_counts(self) -> None:
        for table, count in sorted(self._row_counts.items()):
            self._say(f"{table:<9} … {count} rows in all")

    def _say_notes(self, running: Running) -> None:
        for note in running.notes[self._said_notes :]:
            self._wrap(note)
        self._said_notes = len(running.notes)

    def _wrap(self, text: str) -> None:
        self._say(fill(text, 78, initial_indent="  ", subsequent_indent="    "))

    def _end(
        self, obsync: Obsync, oceanbase: EmbeddedOceanBase, running: Running, reader: Reader, shop: LiveShop
    ) -> int:
        self._say()
        if running.ended:
            self._say_notes(running)
            self._wrap(f"The project ended by itself with exit code {running.stop()}: {running.status}")
            return 1
        if not shop.open:
            self._interruption.check()
        self._interruption.heed()
        shop.stop()
        if shop.error is not None:
            self._wrap(f"The shop itself failed: {shop.error}")
            return 1
        same = self._settle(oceanbase, reader)
        self._say("6. Stop it with Ctrl-C: it ends at a checkpoint and would go on from there.")
        code = running.stop()
        obsync.run("project", "status", PROJECT)
        self._say()
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(reader.counts.items()))
        self._say(f"{sum(reader.counts.values())} messages of {shop.transactions} transactions: {kinds}.")
        for table in TABLES:
            self._say(f"{table:<9} {len(reader.rows[table])} rows")
        self._say(
            "The rows that the messages add up to are those of the tables."
            if same
            else "The rows that the messages add up to are NOT those of the tables."
        )
        return 0 if same and not code else 1

    def _settle(self, oceanbase: EmbeddedOceanBase, reader: Reader) -> bool:
        """Read on until the messages add up to the tables; False when they do not in 10 s or by a further signal."""
        deadline_s = time.monotonic() + SETTLE_S
        wanted = dict(all_rows(oceanbase))
        while time.monotonic() < deadline_s and not self._interruption.count:
            for change in reader.read():
                self._print(change)
            found = {
                table: {key: tuple(row.values()) for key, row in rows.items()}
                for table, rows in reader.rows.items()
            }
            if found == wanted:
                return True
        return False
