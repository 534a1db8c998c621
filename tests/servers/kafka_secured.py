"""A Kafka broker with passwords, TLS and access rights.

Listeners: PLAINTEXT, without password and with all rights, for the test itself; SASL, passwords without TLS; SASLTLS,
passwords over TLS; TLS, client certificates. PLAIN and SCRAM-SHA-512 know the same users.
Properties: Kafka documentation, sections "Security" and "Authorization and ACLs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.kafka import KafkaBroker
from tests.servers.process import free_port

Mechanism = Literal["PLAIN", "SCRAM-SHA-512"]
ADMIN = "admin"
USER = "alice"
PASSWORDS = {ADMIN: "admin-secret", USER: "alice-secret"}
CERTIFICATE_USER = "CN=client"


class SecuredKafkaBroker(KafkaBroker):
    """A broker that authenticates and authorizes; alice and the client certificate have no rights until granted."""

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        *,
        num_partitions: int = 1,
        auto_create_topics: bool = False,
    ) -> None:
        super().__init__(properties, num_partitions=num_partitions, auto_create_topics=auto_create_topics)
        self._sasl_port, self._sasl_tls_port, self._tls_port = free_port(), free_port(), free_port()
        self.certificates: Certificates = make_certificates(self.directory / "certificates")

    @property
    def sasl_bootstrap(self) -> str:
        """Address of the listener with passwords and without TLS."""
        return f"127.0.0.1:{self._sasl_port}"

    @property
    def sasl_tls_bootstrap(self) -> str:
        """Address of the listener with passwords and TLS."""
        return f"127.0.0.1:{self._sasl_tls_port}"

    @property
    def tls_bootstrap(self) -> str:
        """Address of the listener that asks for a client certificate."""
        return f"127.0.0.1:{self._tls_port}"

    def _listeners(self) -> dict[str, tuple[str, int]]:
        return {
            **super()._listeners(),
            "SASL": ("SASL_PLAINTEXT", self._sasl_port),
            "SASLTLS": ("SASL_SSL", self._sasl_tls_port),
            "TLS": ("SSL", self._tls_port),
        }

    def _properties(self) -> dict[str, str]:
        properties = {
            **super()._properties(),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # ANONYMOUS is everyone on the PLAINTEXT listener, the controller's own traffic included.
            "super.users": f"User:ANONYMOUS;User:{ADMIN}",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._keystore()),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.ca),
            "listener.name.tls.ssl.client.auth": "required",
        }
        users = " ".join(f'user_{user}="{password}"' for user, password in PASSWORDS.items())
        for listener in ("sasl", "sasltls"):
            security = "org.apache.kafka.common.security"
            prefix = f"listener.name.{listener}"
            properties[f"{prefix}.plain.sasl.jaas.config"] = (
                f"{security}.plain.PlainLoginModule required {users};"
            )
            properties[f"{prefix}.scram-sha-512.sasl.jaas.config"] = (
                f"{security}.scram.ScramLoginModule required;"
            )
        return properties

    def _keystore(self) -> str:
        file = self.directory / "server-keystore.pem"
        file.touch(0o600)
        file.write_text(self.certificates.server_key.read_text() + self.certificates.server.read_text())
        return str(file)

    def _format_options(self) -> list[str]:
        return [
            option
            for user, password in PASSWORDS.items()
            for option in ("-S", f"SCRAM-SHA-512=[name={user},password={password}]")
        ]

    def sasl_client(
        self, mechanism: Mechanism, user: str = USER, password: str | None = None, *, tls: bool = True
    ) -> dict[str, str]:
        """librdkafka properties of a client with a password; None stands for the user's right one."""
        properties = {
            "bootstrap.servers": self.sasl_tls_bootstrap if tls else self.sasl_bootstrap,
            "security.protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": PASSWORDS[user] if password is None else password,
        }
        if tls:
            properties["ssl.ca.location"] = str(self.certificates.ca)
        return properties

    def tls_client(self) -> dict[str, str]:
        """librdkafka properties of a client with a certificate, user CERTIFICATE_USER."""
        return {
            "bootstrap.servers": self.tls_bootstrap,
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.certificates.ca),
            "ssl.certificate.location": str(self.certificates.client),
            "ssl.key.location": str(self.certificates.client_key),
        }

    def _binding(
        self,
        operation: AclOperation,
        resource: ResourceType,
        name: str,
        user: str,
        pattern: ResourcePatternType,
    ) -> AclBinding:
        return AclBinding(resource, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)

    def grant(
        self,
        operation: AclOperation,
        resource: ResourceType,
        name: str,
        user: str = USER,
        pattern: ResourcePatternType = ResourcePatternType.LITERAL,
    ) -> None:
        """Allow the user an operation on a resource; the cluster's name is "kafka-cluster"."""
        binding = self._binding(operation, resource, name, user, pattern)
        self.admin().create_acls([binding])[binding].result()
