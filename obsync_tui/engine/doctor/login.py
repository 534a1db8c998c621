"""Checks of what becomes of the engine at logout."""

from obsync_tui.engine.doctor.facts import Login
from obsync_tui.model.finding import About, Finding

_ABOUT = About("logout")


def check_survival(login: Login) -> Finding:
    """An engine that was started from a shell outlives the shell's session."""
    check = "engine by hand"
    if not login.systemd:
        return _ABOUT.ok(check, "outlives the session: this machine does not run systemd")
    unit = "install the unit (obsync engine unit), and start the engine by it"
    if login.kills and not login.linger:
        return _ABOUT.failure(
            check,
            f"ends at logout: systemd kills the processes of {login.user} then (KillUserProcesses=yes), and lingering "
            "is off",
            f"Run: loginctl enable-linger {login.user}; then {unit}.",
        )
    if login.kills and login.scope.startswith("session-"):
        return _ABOUT.warning(
            check,
            "ends with the session that started it (KillUserProcesses=yes), although lingering is on",
            f"{unit[0].upper()}{unit[1:]}: a unit goes on after logout.",
        )
    if login.kills is None:
        return _ABOUT.warning(
            check,
            "this machine does not tell whether systemd kills processes at logout (KillUserProcesses)",
            f"See: loginctl show-user {login.user}, man logind.conf. To be sure, run: loginctl enable-linger "
            f"{login.user}; then {unit}.",
        )
    return _ABOUT.ok(check, "outlives the session")


def check_linger(login: Login) -> Finding:
    """A unit of the user's own service manager goes on after logout, and starts at boot."""
    check = "user unit"
    if not login.systemd:
        return _ABOUT.ok(check, "this machine does not run systemd")
    if login.linger:
        return _ABOUT.ok(check, "goes on after logout: lingering is on")
    cure = f"Run: loginctl enable-linger {login.user} (an administrator may have to)."
    if login.user_unit:
        return _ABOUT.failure(
            check,
            "is installed, but ends at the last logout and does not start at boot: lingering is off",
            cure,
        )
    return _ABOUT.ok(check, "not installed; lingering is off, so it would end at the last logout")
