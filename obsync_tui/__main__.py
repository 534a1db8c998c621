"""`python -m obsync_tui` is the `obsync` command."""

import sys

from obsync_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
