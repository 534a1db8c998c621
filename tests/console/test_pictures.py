"""The pictures of the documentation are the console as it is."""

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path

from tests.console.pictures import PICTURES, drawn


def words(svg: str) -> str:
    """What a picture says, without where and in which colour: a minor release of Textual may move that."""
    return html.unescape("\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)))


def test_the_pictures_are_the_console(tmp_path: Path) -> None:
    found = asyncio.run(drawn(tmp_path))
    assert set(found) == {path.stem for path in PICTURES.glob("*.svg")}
    for name, svg in found.items():
        assert words(svg) == words((PICTURES / f"{name}.svg").read_text()), (
            f"make pictures, then look at {name}.svg"
        )
        assert len(words(svg)) > 500
