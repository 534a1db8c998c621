"""What a person types to narrow a list."""

import re

import msgspec


class Filter(msgspec.Struct, frozen=True):
    """A regular expression without regard to case; `inverted` keeps what does not match."""

    text: str = ""
    inverted: bool = False

    def keeps(self, text: str) -> bool:
        """Whether a row of that text is shown."""
        if not self.text:
            return True
        return (re.search(self.text, text, re.IGNORECASE) is not None) != self.inverted


def read_filter(typed: str) -> tuple[Filter, str]:
    """The filter of a typed text and "", or one that keeps everything and what is wrong."""
    inverted = typed.startswith("!")
    text = typed[1:] if inverted else typed
    try:
        re.compile(text)
    except re.error as error:
        return Filter(), f"not a regular expression: {error}"
    return Filter(text, inverted), ""
