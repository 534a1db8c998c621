"""Where each table's messages go, by the project's rules and the topics' shapes."""

from collections.abc import Callable
from zlib import crc32

import msgspec

from obsync_tui.engine.rowplan.request import Routing
from obsync_tui.model.objects import topic_for
from obsync_tui.model.project import PartitionRule, Project
from obsync_tui.model.table import TableName, TableVersion


class TopicRoute(msgspec.Struct, frozen=True):
    """A topic as messages see it: the partition count frozen at the first run, and its size limit."""

    topic: str
    partitions: int
    max_message_bytes: int


TopicResolver = Callable[[str], TopicRoute]


class Routes:
    """Topic and routing of each table; `resolve` makes sure that a topic is there and tells its shape.

    `smallest_limit_bytes` is the smallest size limit of the topics met so far.
    """

    def __init__(self, project: Project, resolve: TopicResolver) -> None:
        self._project = project
        self._resolve = resolve
        self._routes: dict[str, TopicRoute] = {}
        self.smallest_limit_bytes = 1 << 62
        self._rules = {rule.name: rule for rule in project.objects.tables}

    def route(self, table: TableName) -> TopicRoute:
        """The table's topic."""
        return self.of_topic(topic_for(self._project, table))

    def of_topic(self, topic: str) -> TopicRoute:
        """The topic by its name."""
        found = self._routes.get(topic)
        if found is None:
            found = self._routes[topic] = self._resolve(topic)
            self.smallest_limit_bytes = min(self.smallest_limit_bytes, found.max_message_bytes)
        return found

    def known(self) -> tuple[TopicRoute, ...]:
        """Every topic met so far."""
        return tuple(self._routes.values())

    def routing(self, table: TableVersion) -> Routing:
        """How the table's rows find key and partition. KeyError names a sharding column that is not there."""
        message, route = self._project.message, self.route(table.name)
        key = tuple(table.column_index(name) for name in table.primary_key)
        hashed = self.hash_columns(table)
        fixed: int | None = None
        if message.partition is PartitionRule.ONE:
            fixed = message.one_partition
        elif message.partition is PartitionRule.TABLE or not hashed:
            fixed = self.table_partition(table.name)
        return Routing(message.key, key, hashed, route.partitions, fixed, message.hash)

    def hash_columns(self, table: TableVersion) -> tuple[int, ...]:
        """Sharding columns, else the primary key, else the first unique key that identifies a row."""
        rule = self._rules.get(str(table.name))
        names = rule.sharding_columns if rule and rule.sharding_columns else table.key_columns()
        return tuple(table.column_index(name) for name in names)

    def table_partition(self, table: TableName) -> int:
        """The partition of a whole table."""
        return crc32(str(table).encode("utf-8", "surrogatepass")) % self.route(table).partitions

    def broadcast(self, table: TableName) -> tuple[TopicRoute, tuple[int, ...]]:
        """The topic and partitions that a message about the table itself goes to."""
        route, rule = self.route(table), self._project.message.partition
        if rule is PartitionRule.ONE:
            return route, (self._project.message.one_partition,)
        if rule is PartitionRule.TABLE:
            return route, (self.table_partition(table),)
        return route, tuple(range(route.partitions))
