"""A throw-away certificate authority with a server and a client certificate for 127.0.0.1."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """PEM files; keys are PKCS#8 without password."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    common_name: str, key: RSAPrivateKey, issuer: str, issuer_key: RSAPrivateKey
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=key is issuer_key, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if key is not issuer_key:
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def make_certificates(directory: Path, client_name: str = "client") -> Certificates:
    """Write a new authority and its two certificates into the directory; client_name is the client's CN."""
    directory.mkdir(parents=True, exist_ok=True)
    ca_key = generate_private_key(65537, 2048)

    def write(name: str, common_name: str, key: RSAPrivateKey) -> tuple[Path, Path]:
        certificate, key_file = directory / f"{name}.pem", directory / f"{name}.key"
        signed = _certificate(common_name, key, "obsync test CA", ca_key)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        key_file.chmod(0o600)
        return certificate, key_file

    ca, _ = write("ca", "obsync test CA", ca_key)
    server, server_key = write("server", "localhost", generate_private_key(65537, 2048))
    client, client_key = write("client", client_name, generate_private_key(65537, 2048))
    return Certificates(ca, server, server_key, client, client_key)
