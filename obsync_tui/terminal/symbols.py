"""What is drawn with: block characters, or ASCII where a terminal or its font has none."""

import msgspec


class Symbols(msgspec.Struct, frozen=True):
    """One set of drawing characters; every string is one column wide per character."""

    levels: str
    rule: str
    cursor: str
    mark: str
    up: str
    down: str
    crumb: str
    cut: str
    full: str
    empty: str
    branch: str
    open: str


UNICODE = Symbols(
    levels=" ▁▂▃▄▅▆▇█",
    rule="─",
    cursor="▸",
    mark="●",
    up="▲",
    down="▼",
    crumb="›",
    cut="…",
    full="█",
    empty="░",
    branch="▸",
    open="▾",
)
ASCII = Symbols(
    levels=" .:-=+*#@",
    rule="-",
    cursor=">",
    mark="*",
    up="^",
    down="v",
    crumb=">",
    cut="~",
    full="#",
    empty=".",
    branch="+",
    open="-",
)
