"""Whether a process that wrote something still lives."""

import os
from pathlib import Path

# A second of rounding in the kernel's boot time, and one for a start that writes its first status late.
START_SLACK_S = 2.0


def process_lives(pid: int, at_s: float) -> bool:
    """Whether the process that had this pid at `at_s` (UTC epoch seconds) lives: not another that got its pid later."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except OSError:
        return False
    started_s = int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and started_s <= at_s + START_SLACK_S
