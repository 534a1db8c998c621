"""A process that answers each line with itself, and does nothing else: what a round trip takes on this machine now."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_EVERY_S = 0.02
_TIMEOUT_S = 60.0


class Echo:
    """Round trips to such a process, `took_ms`, until it is ended: the machine's part in what clients wait for."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []
        self._directory = tempfile.TemporaryDirectory(prefix="obs-echo-", dir="/tmp")
        path = str(Path(self._directory.name) / "s")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.echo", path], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the process that answers did not start")
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(path)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> list[float]:
        """Ask no more; the milliseconds that each round trip took."""
        self._ending.set()
        self._thread.join(_TIMEOUT_S)
        self._connection.close()
        self._process.kill()
        self._process.communicate()
        self._directory.cleanup()
        return self.took_ms

    def _run(self) -> None:
        with self._connection.makefile("rwb", buffering=0) as files:
            while not self._ending.wait(_EVERY_S):
                began_s = time.monotonic()
                files.write(b"echo\n")
                files.readline()
                self.took_ms.append((time.monotonic() - began_s) * 1000)


async def _serve(path: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()

    server = await asyncio.start_unix_server(answer, path)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
