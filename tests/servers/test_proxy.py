"""The proxy's faults, seen by a client of a small echo server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.servers import FaultProxy


def _serve(listener: socket.socket) -> None:
    """Echo until the client ends, then say goodbye; a client's reset ends its connection."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            try:
                while data := client.recv(65536):
                    client.sendall(data)
                client.sendall(b"bye")
            except OSError:
                continue


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener,), daemon=True)
        thread.start()
        with FaultProxy(listener.getsockname()[1]) as proxy:
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def _connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=60)


def _receive(client: socket.socket, size_bytes: int) -> bytes:
    received = b""
    while len(received) < size_bytes and (data := client.recv(65536)):
        received += data
    return received


def test_forwards_and_ends_in_order(proxy: FaultProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"a" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert _receive(client, 2_000_000) == b"a" * 1_000_000 + b"bye"
    assert proxy.connections_total == 1


def test_cut(proxy: FaultProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"abc")
        assert _receive(client, 3) == b"abc"
        assert proxy.connections == 1
        assert proxy.cut() == 1
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            pass
    with _connect(proxy) as client:
        client.sendall(b"abc")
        assert _receive(client, 3) == b"abc"


def test_cut_after_bytes_from_the_server(proxy: FaultProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"0123456789")
        assert _receive(client, 10) == b"0123456789"
        proxy.cut_after(15)
        client.sendall(b"abcdefghij")
        assert _receive(client, 10) == b"abcdefghij"
        client.sendall(b"ABCDEFGHIJ")
        assert _receive(client, 10) == b"ABCDE"
    with _connect(proxy) as client:
        client.sendall(b"a" * 100)
        assert _receive(client, 100) == b"a" * 100


def test_stall_and_heal(proxy: FaultProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"abc")
        assert _receive(client, 3) == b"abc"
        proxy.stall()
        client.sendall(b"def")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert proxy.connections == 1
        proxy.heal()
        client.settimeout(60)
        assert _receive(client, 3) == b"def"


def test_refuse_and_heal(proxy: FaultProxy) -> None:
    with _connect(proxy) as client:
        client.sendall(b"abc")
        assert _receive(client, 3) == b"abc"
        proxy.refuse()
        assert proxy.connections == 0
        with pytest.raises(ConnectionRefusedError):
            _connect(proxy)
    proxy.heal()
    with _connect(proxy) as client:
        client.sendall(b"abc")
        assert _receive(client, 3) == b"abc"
