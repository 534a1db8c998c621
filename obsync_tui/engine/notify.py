"""Tells the service manager how the engine is, by its protocol (sd_notify(3)); without a manager nothing happens."""

import os
import socket
from collections.abc import Mapping

_ABSTRACT = "@"


class Notifier:
    """Sends to the socket that the service manager named; safe to use from several threads.

    Each method says whether the manager was told. None blocks or raises: an engine works without its manager.
    """

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith(_ABSTRACT) else address
        # How often `alive` has to be called, in seconds: half of what the manager waits for. None: it does not watch.
        self.watchdog_s = watchdog_s

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Notifier":
        """The notifier for this process by NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        address = environment.get("NOTIFY_SOCKET", "")
        waits_us = environment.get("WATCHDOG_USEC", "")
        watched = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        if not (address and watched and waits_us.isdecimal() and int(waits_us)):
            return cls(address)
        return cls(address, int(waits_us) / 1_000_000 / 2)

    def ready(self, status: str = "") -> bool:
        """The engine answers its clients; `status` is a line for `systemctl status`."""
        return self._tell("READY=1", *_status(status))

    def status(self, status: str) -> bool:
        """A line for `systemctl status`."""
        return self._tell(*_status(status))

    def stopping(self, status: str = "") -> bool:
        """The engine is stopping at checkpoints."""
        return self._tell("STOPPING=1", *_status(status))

    def alive(self) -> bool:
        """The engine's loop goes round; a manager that watches restarts it when this stays out."""
        return self._tell("WATCHDOG=1")

    def main_process(self, pid: int) -> bool:
        """Another process is the engine from now on."""
        return self._tell(f"MAINPID={pid}")

    def _tell(self, *lines: str) -> bool:
        if not self._address.startswith(("/", "\0")):
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.setblocking(False)
                sending.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    line = " ".join(text.split())
    return (f"STATUS={line}",) if line else ()
