"""`obsync demo`: everything at once, on servers that come with it."""

import argparse

from obsync_tui.cli.session import Session


def demo(session: Session, arguments: argparse.Namespace) -> int:
    """Show the demo until its time is over or a signal ends it; the configuration of the user is not touched."""
    from obsync_tui.demo.showing import Demo  # clients of both sides, which other commands do without

    return Demo(arguments.seed, arguments.broker).show(arguments.seconds)
