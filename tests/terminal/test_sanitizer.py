"""What foreign text may do on a terminal: nothing."""

from __future__ import annotations

import unicodedata

from obsync_tui.terminal.sanitizer import visible


def test_what_would_act_is_shown() -> None:
    assert visible("a\x1b[31mb\x07\r\n\t\x7f\x9b") == r"a\x1b[31mb\x07\x0d\x0a\x09\x7f\x9b"
    assert (
        visible("\u202egpj.exe\u2066\u200f\ufeff\U000e0041") == r"\u202egpj.exe\u2066\u200f\ufeff\U000e0041"
    )
    assert visible("\ud800") == r"\ud800"
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\x0d"


def test_ordinary_text_is_left_alone() -> None:
    for text in ("", "orders ü 订单 😀 👩\u200d👧 \\x1b", "שלום", "a\u0301"):
        assert visible(text) == text


def test_no_control_character_passes() -> None:
    everything = "".join(chr(code) for code in range(0x110000))
    passed = visible(everything)
    assert not [c for c in passed if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")]  # fmt: skip
