"""Checks of the terminal and the locale; none is a failure, for commands work without either."""

from obsync_tui.engine.doctor.facts import Locale, Terminal
from obsync_tui.model.finding import About, Finding

LEAST_COLUMNS, LEAST_ROWS = 80, 24
_ABOUT = About("terminal")
_LOCALE = About("locale")
_COLOURLESS = ("dumb", "unknown", "vt52", "vt100", "vt102", "vt220")
_UTF8 = ("utf8", "utf-8")


def check_kind(terminal: Terminal) -> Finding:
    """TERM names a terminal that screens can be drawn on."""
    if not terminal.output_is:
        return _ABOUT.ok("kind", "standard output is no terminal: plain lines and JSON")
    name = terminal.term
    if name in ("", "dumb", "unknown"):
        said = f"TERM is {name!r}" if name else "TERM is not set"
        return _ABOUT.warning(
            "kind",
            f"{said}: a full screen cannot be drawn",
            "Set it to your terminal's kind, such as: export TERM=xterm-256color",
        )
    inside = f" in {terminal.multiplexer}" if terminal.multiplexer else ""
    over = " over SSH" if terminal.ssh else ""
    return _ABOUT.ok("kind", f"{name}{inside}{over}")


def check_multiplexer(terminal: Terminal) -> Finding:
    """Inside tmux or screen TERM is that program's, else keys and drawing go wrong."""
    program = terminal.multiplexer
    if not (program and terminal.output_is):
        return _ABOUT.ok("multiplexer", "none")
    if terminal.term.startswith(("tmux", "screen")):
        return _ABOUT.ok("multiplexer", f"{program}, TERM fits")
    setting = (
        'set -g default-terminal "tmux-256color" in ~/.tmux.conf'
        if program == "tmux"
        else "term screen-256color in ~/.screenrc"
    )
    return _ABOUT.warning(
        "multiplexer",
        f"TERM is {terminal.term!r} inside {program}: drawing and keys can go wrong",
        f"Leave TERM to {program} ({setting}) and take it out of your shell's profile.",
    )


def check_colours(terminal: Terminal) -> Finding:
    """How many colours are used; state is never told by colour only."""
    if not terminal.output_is or terminal.no_color:
        return _ABOUT.ok("colours", "none: NO_COLOR is set" if terminal.no_color else "none")
    if terminal.colorterm in ("truecolor", "24bit"):
        return _ABOUT.ok("colours", f"16 million (COLORTERM={terminal.colorterm})")
    if terminal.term in _COLOURLESS:
        return _ABOUT.ok("colours", "none")
    return _ABOUT.ok("colours", "256" if "256color" in terminal.term else "16")


def check_size(terminal: Terminal) -> Finding:
    """The terminal holds a screen of 80 columns and 24 rows."""
    what = f"{terminal.columns} columns, {terminal.rows} rows"
    if not terminal.output_is:
        return _ABOUT.ok("size", "no terminal")
    if terminal.columns < LEAST_COLUMNS or terminal.rows < LEAST_ROWS:
        cure = f"Make the window {LEAST_COLUMNS} by {LEAST_ROWS} or larger."
        if not (terminal.columns and terminal.rows):
            cure = "Tell the terminal its size: stty cols 80 rows 24, or set COLUMNS and LINES."
        return _ABOUT.warning("size", what, cure)
    return _ABOUT.ok("size", what)


def check_passwords(terminal: Terminal) -> Finding:
    """A password can be asked for without showing it."""
    if terminal.asks:
        return _ABOUT.ok("passwords", "are asked for without an echo")
    if terminal.input_is:
        return _ABOUT.warning(
            "passwords",
            "standard input is a terminal, but /dev/tty cannot be opened: a password cannot be asked for",
            "Give it on standard input: --password - (not typed: from a file or a program), or log in with a terminal "
            "(ssh -t).",
        )
    return _ABOUT.ok(
        "passwords", "there is no terminal to ask on: they come by standard input (--password -)"
    )


def check_charset(locale: Locale, terminal: Terminal) -> Finding:
    """Text goes to the terminal as UTF-8."""
    for charset in (locale.charset, terminal.encoding):
        if charset and charset.lower() not in _UTF8:
            return _LOCALE.warning(
                "characters",
                f"the character set is {charset}: characters outside it are shown as escapes",
                "Choose a UTF-8 locale: export LC_ALL=C.UTF-8 (locale -a lists what there is).",
            )
    return _LOCALE.ok("characters", "UTF-8")


def check_locale(locale: Locale) -> Finding:
    """The locale that the environment names exists on this machine."""
    if not locale.there:
        return _LOCALE.warning(
            "name",
            f"{locale.variable}={locale.name} names a locale that is not installed here; programs take C instead",
            "Install it (Debian: dpkg-reconfigure locales), or: export LC_ALL=C.UTF-8. SSH brings it from your own "
            "machine (SendEnv LANG LC_*).",
        )
    return _LOCALE.ok("name", f"{locale.variable}={locale.name}" if locale.variable else "none is set")
