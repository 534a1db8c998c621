"""A TCP proxy on 127.0.0.1 that can misbehave: cut, cut after N bytes, stall, slow, refuse, heal."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

from tests.servers.process import free_port

_CHUNK_BYTES, _PIECE_BYTES = 65536, 200


class _Link:
    """One client connection and its connection to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.open_directions = 2

    def close(self, *, reset: bool) -> None:
        for end in (self.client, self.server):
            if reset:
                with contextlib.suppress(OSError):
                    # Linger 0: what is on its way is lost, as with a lost host.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                # Wakes the threads that read or write this end; close() alone would leave them waiting.
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class FaultProxy:
    """Forwards connections on .port to a port of 127.0.0.1, with faults on demand; use as a context manager.

    While the server itself is down, a client is accepted and disconnected at once.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._state = threading.Condition()
        self._links: set[_Link] = set()
        self._stalled = False
        self._bytes_per_s = 0
        self._bytes_until_cut: int | None = None
        self._listener: socket.socket | None = None
        self._closed = False
        self._accepted = 0
        self._port = free_port()
        self._listen()

    @property
    def port(self) -> int:
        """Port that clients connect to; it stays the same through refuse and heal."""
        return self._port

    @property
    def connections(self) -> int:
        """Connections open now."""
        with self._state:
            return len(self._links)

    @property
    def connections_total(self) -> int:
        """Connections accepted since the proxy was made."""
        with self._state:
            return self._accepted

    def cut(self) -> int:
        """Reset every open connection now and return how many; later ones are served."""
        with self._state:
            links = list(self._links)
        for link in links:
            self._drop(link, reset=True)
        return len(links)

    def cut_after(self, size_bytes: int) -> None:
        """Once: reset every connection after that many more bytes from the server, counted over all of them."""
        with self._state:
            self._bytes_until_cut = size_bytes

    def stall(self) -> None:
        """Keep every connection open and forward nothing, in either direction, until heal."""
        with self._state:
            self._stalled = True

    def slow(self, bytes_per_s: int) -> None:
        """Let so much through each connection from the server in a second, a little at a time, until heal."""
        self._bytes_per_s = bytes_per_s

    def refuse(self) -> None:
        """Cut every connection and refuse further ones until heal."""
        with self._state:
            listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def heal(self) -> None:
        """Take back every fault; what was stalled is forwarded now."""
        with self._state:
            self._stalled = False
            self._bytes_per_s = 0
            self._bytes_until_cut = None
            self._state.notify_all()
            refusing = self._listener is None and not self._closed
        if refusing:
            self._listen()

    def close(self) -> None:
        """Cut everything and stop listening."""
        with self._state:
            self._closed = True
            self._stalled = False
            self._state.notify_all()
        self.refuse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        with self._state:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            with self._state:
                if self._listener is not listener:
                    link.close(reset=True)
                    return
                self._accepted += 1
                self._links.add(link)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(link, source, sink), daemon=True).start()

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(_CHUNK_BYTES):
                data, to_cut = self._admit(data, from_server=source is link.server)
                if source is link.server:
                    data = self._trickle(sink, data)
                sink.sendall(data)
                if to_cut:
                    # In order, so that the client does get all the bytes up to here; the others are reset.
                    self._drop(link, reset=False)
                    for other in to_cut - {link}:
                        self._drop(other, reset=True)
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(link, reset=True)
            return
        with self._state:
            link.open_directions -= 1
            finished = link.open_directions == 0
        if finished:
            self._drop(link, reset=False)

    def _trickle(self, sink: socket.socket, data: bytes) -> bytes:
        """Send in small pieces while the link is slow; what is left when it is not any more."""
        while data and (bytes_per_s := self._bytes_per_s):
            piece, data = data[:_PIECE_BYTES], data[_PIECE_BYTES:]
            sink.sendall(piece)
            time.sleep(len(piece) / bytes_per_s)
        return data

    def _admit(self, data: bytes, *, from_server: bool) -> tuple[bytes, set[_Link]]:
        """The part of the data that may pass, once it may, and the links to cut after it.

        Those of this moment: a client that connects again as soon as it has read the last byte is served.
        """
        with self._state:
            self._state.wait_for(lambda: not self._stalled)
            if not from_server or self._bytes_until_cut is None:
                return data, set()
            data = data[: self._bytes_until_cut]
            self._bytes_until_cut -= len(data)
            if self._bytes_until_cut:
                return data, set()
            self._bytes_until_cut = None
            return data, set(self._links)

    def _drop(self, link: _Link, *, reset: bool) -> None:
        with self._state:
            self._links.discard(link)
        link.close(reset=reset)
