"""Data sources: the servers that projects read from and write to."""

import re
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from obsync_tui.model.project import Name
from obsync_tui.model.secret import NO_SECRET, SecretReference

Text = Annotated[str, msgspec.Meta(min_length=1)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
# librdkafka properties whose value is a secret.
_SECRET_PROPERTY = re.compile(r"password|secret|passphrase|assertion|ssl\.key\.pem")
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """TLS towards a server: `ca` a PEM file (empty: the system's), `cert` and `key` the client's own."""

    enabled: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


class MySQLSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="mysql", tag_field="kind"
):
    """A MySQL 5.7 or 8.0 server with GTIDs and row images."""

    name: Name
    host: Text
    user: Text
    port: Port = 3306
    password: SecretReference = NO_SECRET
    tls: Tls = Tls()
    connect_timeout_s: Seconds = 10.0


class LogChoice(StrEnum):
    """Where changes of an OceanBase tenant are read from; `auto` is Binlog Service, and view logs never by default."""

    AUTO = "auto"
    BINLOG = "binlog"
    VIEW_LOG = "view-log"


class OceanBaseSource(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag="oceanbase",
    tag_field="kind",
):
    """A MySQL tenant of OceanBase, by ODP (port 2883) or an observer.

    `user` is sent as it stands: `user@tenant#cluster`, `cluster:tenant:user`, `user@tenant` or `user`.
    """

    name: Name
    host: Text
    user: Text
    port: Port = 2883
    password: SecretReference = NO_SECRET
    tls: Tls = Tls()
    connect_timeout_s: Seconds = 10.0
    log: LogChoice = LogChoice.AUTO
    accept_view_log_costs: bool = False

    @property
    def login(self) -> "TenantUser":
        """The parts of `user`."""
        return parse_tenant_user(self.user)


class TenantUser(msgspec.Struct, frozen=True):
    """Who logs in to which tenant of which cluster; empty is what the text does not say."""

    user: str
    tenant: str = ""
    cluster: str = ""


def parse_tenant_user(text: str) -> TenantUser:
    """The parts of `user@tenant#cluster`, `cluster:tenant:user`, `user@tenant` or `user`."""
    user, at, rest = text.rpartition("@")
    if at:
        tenant, _, cluster = rest.partition("#")
        return TenantUser(user, tenant, cluster)
    parts = text.split(":")
    if len(parts) == 3:
        return TenantUser(parts[2], parts[1], parts[0])
    return TenantUser(text)


class Sasl(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """SASL towards Kafka: `mechanism` is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or GSSAPI."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI"]
    user: str = ""
    password: SecretReference = NO_SECRET


class KafkaSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="kafka", tag_field="kind"
):
    """A Kafka cluster; `properties` are further librdkafka properties.

    `embedded` is for the demo only: the cluster is librdkafka's mock, where no checkpoint survives. Any other cluster
    is refused with it.
    """

    name: Name
    endpoint: Text
    tls: Tls = Tls()
    sasl: Sasl | None = None
    properties: dict[str, str] = {}
    embedded: bool = False

    def __post_init__(self) -> None:
        for name in self.properties:
            if _SECRET_PROPERTY.search(name):
                raise ValueError(
                    f"the property {name} would hold a secret in clear; use sasl.password for passwords"
                )


SqlSource = MySQLSource | OceanBaseSource
DataSource = MySQLSource | OceanBaseSource | KafkaSource


def password_of(source: DataSource) -> SecretReference:
    """The data source's secret, empty when it has none."""
    if isinstance(source, KafkaSource):
        return source.sasl.password if source.sasl is not None else SecretReference("")
    return source.password


def secret_of(source: DataSource) -> SecretReference:
    """The reference to the data source's password; empty without one."""
    if isinstance(source, KafkaSource):
        return source.sasl.password if source.sasl else NO_SECRET
    return source.password


def with_secret(source: DataSource, secret: SecretReference) -> DataSource:
    """The data source with another reference to its password."""
    if isinstance(source, KafkaSource):
        sasl = msgspec.structs.replace(source.sasl, password=secret) if source.sasl else None
        return msgspec.structs.replace(source, sasl=sasl)
    return msgspec.structs.replace(source, password=secret)
