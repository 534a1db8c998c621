"""Whether a process of this host lives, by its pid and when it started (proc(5))."""

import os
from pathlib import Path

# A second of rounding in the kernel's boot time, and one for a start that writes its first status late.
START_SLACK_S = 2.0


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot (field 22 of stat).

    0 when there is none, or only what its parent has not asked for yet.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def process_lives(pid: int, at_s: float) -> bool:
    """Whether the process that had this pid at `at_s` (UTC epoch seconds) lives: not another that got its pid later."""
    ticks = start_ticks(pid)
    try:
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    except OSError:
        return False
    started_s = int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return bool(ticks) and started_s <= at_s + START_SLACK_S
