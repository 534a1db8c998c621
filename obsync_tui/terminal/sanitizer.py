"""Foreign text (names, values, servers' messages) on a terminal: what would act is shown instead.

Control characters and escape sequences could move the cursor, retitle the window or answer for the user; bidirectional
overrides (https://www.unicode.org/reports/tr9/) and invisible characters could make a text look like another.
"""

import re

_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str, keep: str = "") -> str:
    r"""The text with every acting character as its escape (`\x1b`, `\u202e`), those in `keep` as they are."""
    return _ACTING.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
