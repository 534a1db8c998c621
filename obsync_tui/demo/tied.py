"""Runs `obsync` as a process that ends with the one that started it, however that one ended.

A program of its own: python -m obsync_tui.demo.tied OWNER_PID ARGUMENTS... A program and not a `preexec_fn`, which runs
Python between fork and exec of a process with threads and can swallow the exception of a signal.
"""

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its owner, then become the command."""
    owner_pid = int(sys.argv.pop(1))
    # Ending at once is as safe for a project as a stop: what is not committed is done again.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == owner_pid:
        runpy.run_module("obsync_tui", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
