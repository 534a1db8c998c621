"""Runs one server and kills it when the process that asked for it is gone, however that one ended.

A program of its own: python watchdog.py DIRECTORY COMMAND... ; prints the server's process id, ends with the server.
When the pipe on its standard input closes or its parent changes, it kills the server and removes DIRECTORY.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None)


def die_with_watchdog() -> None:
    """Ask the kernel to kill this process when the watchdog itself is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive(owner_pid: int) -> None:
    """Return when the owner has closed the pipe or is gone.

    The parent is looked at too: a process that the owner forked may hold the pipe open after it.
    """
    while os.getppid() == owner_pid:
        if select.select([0], [], [], 0.5)[0] and not os.read(0, 1):
            return


def main() -> None:
    """Run the server given on the command line."""
    owner_pid = os.getppid()
    directory, *command = sys.argv[1:]
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_watchdog
    )
    print(server.pid, flush=True)

    orphaned = threading.Event()

    def watch() -> None:
        outlive(owner_pid)
        orphaned.set()
        server.kill()

    threading.Thread(target=watch, daemon=True).start()
    code = server.wait()
    if orphaned.is_set():
        shutil.rmtree(directory, ignore_errors=True)
    # The owner tells a wanted end from an unwanted one; only the code is passed on.
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
