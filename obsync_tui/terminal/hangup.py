"""Ends the console when its terminal is gone: it keeps nothing, the engine has it all."""

import os
import select
import signal

GONE = 129


def restore_hangup() -> None:
    """Let SIGHUP end the process even under nohup or sudo, which set it to be ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def is_gone(descriptor: int) -> bool:
    """Whether the terminal behind the descriptor has been closed."""
    poller = select.poll()
    poller.register(descriptor, select.POLLHUP)
    return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poller.poll(0))


def is_writable(descriptor: int) -> bool:
    """Whether the terminal takes bytes now; one that is stopped or slow does not."""
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return any(event & select.POLLOUT for _, event in poller.poll(0))


def leave_when_gone(descriptor: int) -> None:
    """End this process at once when the terminal has been closed: an event loop on it would spin for ever."""
    if is_gone(descriptor):
        os._exit(GONE)
