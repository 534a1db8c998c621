"""librdkafka's properties for a destination, and what its errors mean."""

from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException

from obsync_tui.engine.errors import (
    ConfigError,
    Fenced,
    MessageTooLarge,
    SinkError,
    SinkRefused,
    SinkUnreachable,
    TopicUnfit,
    TransactionAborted,
)
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.secret import Secret, SecretReference

ClientProperties = str | int | bool
SecretResolver = Callable[[SecretReference], Secret]

_ORDER = "order and exactly once rest on it"
_LOSS = "messages would be given up that the checkpoint counts as delivered"
_OWN = "obsync sets it"
_TLS = "set it under [tls]"
_SASL = "set it under [sasl]"
_REFUSED = {
    "enable.idempotence": _ORDER,
    "acks": _LOSS,
    "request.required.acks": _LOSS,
    "transactional.id": "it is made from the project's id and keeps a second instance out",
    "transaction.timeout.ms": "set transaction_timeout_s under [delivery]",
    "isolation.level": "the checkpoint must be read without aborted records",
    "enable.auto.commit": "positions are in the checkpoint, not in a consumer group",
    "enable.auto.offset.store": "positions are in the checkpoint, not in a consumer group",
    "auto.offset.reset": "the checkpoint is read from its beginning",
    "message.timeout.ms": _LOSS,
    "delivery.timeout.ms": _LOSS,
    "retries": _LOSS,
    "message.send.max.retries": _LOSS,
    "request.timeout.ms": _LOSS,
    "enable.gapless.guarantee": _ORDER,
    "queuing.strategy": _ORDER,
    "partitioner": "set partition under [message]",
    "message.max.bytes": "it follows the topics' max.message.bytes",
    "delivery.report.only.error": _OWN,
    "log_level": _OWN,
    "log.queue": _OWN,
    "bootstrap.servers": "it is the data source's endpoint",
    "metadata.broker.list": "it is the data source's endpoint",
    "security.protocol": "it follows from [tls] and [sasl]",
    "enable.ssl.certificate.verification": _TLS,
    "ssl.ca.location": _TLS,
    "ssl.certificate.location": _TLS,
    "ssl.key.location": _TLS,
    "sasl.mechanism": _SASL,
    "sasl.mechanisms": _SASL,
    "sasl.username": _SASL,
}
_IN_FLIGHT = ("max.in.flight.requests.per.connection", "max.in.flight")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI")


def where(destination: KafkaSource) -> str:
    """How errors name the cluster."""
    return f"{destination.name} ({destination.endpoint})"


def client_properties(destination: KafkaSource, secrets: SecretResolver) -> dict[str, ClientProperties]:
    """What every client of the destination is configured with; ConfigError for what would break the guarantee.

    Contains the password in clear: for a client's constructor only. Names: librdkafka, CONFIGURATION.md.
    """
    for name, value in destination.properties.items():
        _check_property(name, value, where(destination))
    properties: dict[str, ClientProperties] = {
        "bootstrap.servers": destination.endpoint,
        "client.id": "obsync",
        # What goes wrong comes back as errors; librdkafka would write it to the terminal as well.
        "log_level": 0,
        # Fatal errors are written at every level, unless to a queue; nobody asks this one.
        "log.queue": True,
        "socket.keepalive.enable": True,
        "reconnect.backoff.max.ms": 1000,
        **destination.properties,
    }
    sasl, tls = destination.sasl, destination.tls
    protocol = "SSL" if tls.enabled else "PLAINTEXT"
    if sasl is not None:
        if sasl.mechanism not in _MECHANISMS:
            raise ConfigError(
                f"SASL mechanism {sasl.mechanism!r} is not supported",
                where=where(destination),
                cure=f"Set mechanism under [sasl] to one of {', '.join(_MECHANISMS)}.",
            )
        protocol = "SASL_SSL" if tls.enabled else "SASL_PLAINTEXT"
        properties["sasl.mechanism"] = sasl.mechanism
        # Kerberos' own settings are sasl.kerberos.* properties.
        if sasl.mechanism != "GSSAPI":
            properties["sasl.username"] = sasl.user
            properties["sasl.password"] = secrets(sasl.password).reveal()
    properties["security.protocol"] = protocol
    if tls.enabled:
        properties["enable.ssl.certificate.verification"] = tls.verify
        files = {"ssl.ca.location": tls.ca, "ssl.certificate.location": tls.cert, "ssl.key.location": tls.key}
        properties.update({name: file for name, file in files.items() if file})
    return properties


def _check_property(name: str, value: str, where: str) -> None:
    if name in _REFUSED:
        raise ConfigError(
            f"property {name} cannot be set: {_REFUSED[name]}",
            where=where,
            cure="Remove it from [properties].",
        )
    if name in _IN_FLIGHT and not (value.isdecimal() and 1 <= int(value) <= 5):
        raise ConfigError(
            f"property {name} = {value}: above 5 requests in flight the broker cannot keep the order",
            where=where,
            cure="Set it from 1 to 5 or remove it from [properties].",
        )


_AUTHENTICATION = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.ILLEGAL_SASL_STATE,
    KafkaError.SECURITY_DISABLED,
}
_AUTHORIZATION = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "the topic: Create, Write, Read, Describe, DescribeConfigs",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "the transactional id: Write, Describe",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "the cluster: Create, IdempotentWrite",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "the group: Read",
}
_TOPIC = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.INCONSISTENT_TOPIC_ID,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_CONFIG,
    KafkaError.POLICY_VIOLATION,
}
_RECORDS = {
    KafkaError.INVALID_TIMESTAMP: (
        "This machine's clock or the broker's is wrong: a record's time lies outside the topic's"
        " message.timestamp.before.max.ms and message.timestamp.after.max.ms (an hour ahead by default)."
    ),
    KafkaError.INVALID_RECORD: (
        "A compacted topic takes no record without a key: set key under [message], or cleanup.policy=delete."
    ),
    KafkaError.UNSUPPORTED_COMPRESSION_TYPE: "Set another compression.type under [properties] of the data source.",
}
_FENCED = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.TRANSACTION_COORDINATOR_FENCED,
}
_TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}
# The producer's state is lost; a new one goes on from the checkpoint.
_ABORTED = {
    KafkaError.TRANSACTION_ABORTABLE,
    KafkaError.INVALID_TXN_STATE,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError._PURGE_QUEUE,
    KafkaError._PURGE_INFLIGHT,
    KafkaError._INCONSISTENT,
}
_UNREACHABLE = {
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._TIMED_OUT_QUEUE,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._WAIT_COORD,
    KafkaError._DESTROY,
    KafkaError._QUEUE_FULL,
    KafkaError._RETRY,
    KafkaError._LOG_TRUNCATION,
    KafkaError.NOT_ENOUGH_REPLICAS,
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KafkaError.REQUEST_TIMED_OUT,
    KafkaError.THROTTLING_QUOTA_EXCEEDED,
    KafkaError.CONCURRENT_TRANSACTIONS,
    KafkaError.KAFKA_STORAGE_ERROR,
}


def translate(error: KafkaError | KafkaException, where: str) -> SinkError:
    """The engine's error for one of Kafka; its name and text are kept."""
    if isinstance(error, KafkaException):
        inner = error.args[0] if error.args else None
        if not isinstance(inner, KafkaError):
            return SinkError(str(error), where=where)
        error = inner
    code = error.code()
    what = f"{error.str()} ({error.name()})"
    if code in _AUTHENTICATION:
        return SinkRefused(what, where=where, cure="Check mechanism, user and password of the data source.")
    if code == KafkaError._SSL:
        return SinkRefused(
            what, where=where, cure="Check ca, cert and key under [tls], or set verify = false."
        )
    if code in _AUTHORIZATION:
        cure = f"Give the user rights on {_AUTHORIZATION[code]}; obsync project check prints the kafka-acls commands."
        return SinkRefused(what, where=where, cure=cure)
    if code in _TOO_LARGE:
        cure = 'Raise the topic\'s max.message.bytes, or set too_large = "dead-letter" under [delivery].'
        return MessageTooLarge(what, where=where, cure=cure)
    if error.txn_requires_abort() or code in _ABORTED:
        return TransactionAborted(what, where=where)
    if code in _FENCED:
        return Fenced(
            f"another instance of this project took over ({error.name()})",
            where=where,
            cure="This one has stopped for good; everything it committed counts. Stop the other one to run here.",
        )
    if code in _TOPIC:
        cure = "Run obsync project check: it says what is wrong with which topic."
        return TopicUnfit(what, where=where, cure=cure)
    if code == KafkaError.INVALID_TRANSACTION_TIMEOUT:
        cure = (
            "Lower transaction_timeout_s under [delivery], or raise the broker's transaction.max.timeout.ms."
        )
        return SinkRefused(what, where=where, cure=cure)
    if code in _RECORDS:
        return SinkRefused(what, where=where, cure=_RECORDS[code])
    if code in _UNREACHABLE or error.retriable():
        cure = "Check that the brokers run and that their advertised addresses can be reached from here."
        return SinkUnreachable(what, where=where, cure=cure)
    return SinkError(what, where=where, cure="The broker's log of this moment says more.")
