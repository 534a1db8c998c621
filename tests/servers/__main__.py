"""Servers for a person: python -m tests.servers up [--mysql 5.7] [--oceanbase] [--kafka] | fetch."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack

from tests.servers.downloads import MissingPrerequisite, cache_dir, fetch_all
from tests.servers.kafka import KafkaBroker
from tests.servers.kafka_secured import PASSWORDS, SecuredKafkaBroker
from tests.servers.mysql import MySQLServer, MySQLVersion
from tests.servers.oceanbase import OceanBaseServer
from tests.servers.process import ServerFailed


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="download every server and end")
    up = commands.add_parser(
        "up", help="start servers and keep them until Ctrl-C; without options MySQL 5.7 and Kafka"
    )
    up.add_argument("--mysql", action="append", choices=["5.7", "8.0"], default=[], help="may be given twice")
    up.add_argument(
        "--oceanbase", action="store_true", help="the engine of OceanBase, without Binlog Service"
    )
    up.add_argument("--kafka", action="store_true")
    up.add_argument(
        "--kafka-secured", action="store_true", help="a broker with passwords, TLS and access rights"
    )
    return parser.parse_args()


def _print_secured(broker: SecuredKafkaBroker) -> None:
    users = ", ".join(f"{user} / {password}" for user, password in PASSWORDS.items())
    print(f"Kafka, secured     {broker.bootstrap} without password, all rights")
    print(
        f"                   {broker.sasl_bootstrap} SASL_PLAINTEXT, {broker.sasl_tls_bootstrap} SASL_SSL: {users}"
    )
    print(f"                   {broker.tls_bootstrap} SSL with client certificate")
    print(f"                   certificates in {broker.certificates.ca.parent}")


def _up(arguments: argparse.Namespace) -> None:
    chosen = arguments.mysql or arguments.oceanbase or arguments.kafka or arguments.kafka_secured
    with ExitStack() as stack:
        versions: list[MySQLVersion] = arguments.mysql if chosen else ["5.7"]
        for version in versions:
            mysql = stack.enter_context(MySQLServer(version))
            print(
                f"MySQL {version}          mysql --protocol=tcp -h 127.0.0.1 -P {mysql.port} -u root   (no password)",
                flush=True,
            )
        if arguments.oceanbase:
            engine = stack.enter_context(OceanBaseServer())
            print(
                f"OceanBase          mysql --protocol=tcp -h 127.0.0.1 -P {engine.port} -u root@{engine.tenant}   (no password)",
                flush=True,
            )
        if arguments.kafka or not chosen:
            print(f"Kafka              {stack.enter_context(KafkaBroker()).bootstrap}", flush=True)
        if arguments.kafka_secured:
            _print_secured(stack.enter_context(SecuredKafkaBroker()))
        print("Ctrl-C stops them and removes their data.", flush=True)
        signal.pause()


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the command; exit code 0, or 1 with a sentence on standard error."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    try:
        if arguments.command == "fetch":
            fetch_all()
            print(f"Servers are in {cache_dir()}")
        else:
            _up(arguments)
    except KeyboardInterrupt:
        return 0
    except (MissingPrerequisite, ServerFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
