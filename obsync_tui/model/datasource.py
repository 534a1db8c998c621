"""Data sources: the servers that projects read from and write to."""

import re
from typing import Annotated, Literal

import msgspec

from obsync_tui.model.project import Name
from obsync_tui.model.secret import SecretReference

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
    password: SecretReference = SecretReference("")
    tls: Tls = Tls()
    connect_timeout_s: Seconds = 10.0


class Sasl(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """SASL towards Kafka: `mechanism` is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or GSSAPI."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI"]
    user: str = ""
    password: SecretReference = SecretReference("")


class KafkaSource(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="kafka", tag_field="kind"
):
    """A Kafka cluster; `properties` are further librdkafka properties."""

    name: Name
    endpoint: Text
    tls: Tls = Tls()
    sasl: Sasl | None = None
    properties: dict[str, str] = {}

    def __post_init__(self) -> None:
        for name in self.properties:
            if _SECRET_PROPERTY.search(name):
                raise ValueError(
                    f"the property {name} would hold a secret in clear; use sasl.password for passwords"
                )


DataSource = MySQLSource | KafkaSource
