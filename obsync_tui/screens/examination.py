"""Runs the doctor as its command: it looks at this machine and account, which the engine's API does not know."""

import asyncio
import sys
from subprocess import DEVNULL, PIPE

import msgspec

from obsync_tui.api.errors import EngineError
from obsync_tui.model.finding import Finding

_TIMEOUT_S = 30.0
# The doctor has no terminal here; what it says about that is not about the console's.
_NOT_ABOUT_US = "terminal"


class DoctorFailed(EngineError):
    """The doctor's command did not answer."""


async def examine() -> tuple[Finding, ...]:
    """All findings; DoctorFailed when the command gives none."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "obsync_tui", "doctor", "--json", stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        output, words = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
        findings = msgspec.json.decode(output, type=tuple[Finding, ...])
    except TimeoutError as error:
        process.kill()
        raise _failed(f"it did not end within {_TIMEOUT_S:.0f} s") from error
    except msgspec.MsgspecError as error:
        raise _failed(words.decode(errors="replace").strip() or "it said nothing") from error
    return tuple(finding for finding in findings if finding.subject != _NOT_ABOUT_US)


def _failed(what: str) -> DoctorFailed:
    return DoctorFailed(
        f"the doctor failed: {what}", where="obsync doctor", cure="Run it in a shell: obsync doctor"
    )
