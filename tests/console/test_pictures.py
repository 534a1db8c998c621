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


def layout(svg: str) -> dict[tuple[int, int], tuple[str, str]]:
    """What stands in which row and column and how it is drawn: foreground, weight, and ground where it has one."""
    styles = dict(re.findall(r"-(r\d+) \{ ([^}]*) \}", svg))
    (width,) = set(re.findall(r'<rect x="0" y="[^"]*" width="([^"]*)" height="[^"]*"/>', svg))
    cell = float(width) / 80
    grounds = {
        (round(float(y) / (2 * cell)), round(float(x) / cell)): fill
        for fill, x, y in re.findall(r'<rect fill="([^"]*)" x="([^"]*)" y="([^"]*)"', svg)
    }
    texts = re.findall(r'<text class="[^"]*-(r\d+)" x="([^"]*)" y="[^"]*"[^>]*-line-(\d+)\)">([^<]*)<', svg)
    found = {}
    for style, x, row, text in texts:
        place = (int(row), round(float(x) / cell))
        found[place] = (html.unescape(text), f"{styles[style]} {grounds.get(place, '')}")
    return found


def test_the_layout_of_the_pictures_is_that_of_the_console(tmp_path: Path) -> None:
    for name, svg in asyncio.run(drawn(tmp_path)).items():
        found, expected = layout(svg), layout((PICTURES / f"{name}.svg").read_text())
        assert len(expected) > 60 and max(row for row, _ in expected) == 23, "all 24 rows are read"
        differing = {place for place in found.keys() | expected if found.get(place) != expected.get(place)}
        assert not differing, {place: (expected.get(place), found.get(place)) for place in sorted(differing)}


def test_a_moved_column_and_another_colour_are_seen() -> None:
    svg = (PICTURES / "components.svg").read_text()
    assert layout(svg)[5, 2][0].strip() == "Connector"
    moved = re.sub(r'x="24.4"( y="[^"]*"[^>]*>Connector)', r'x="36.6"\1', svg)
    recoloured = re.sub(r"(-r1 \{ fill: )#\w+", r"\1#123456", svg)
    for changed in (moved, recoloured):
        assert layout(changed) != layout(svg) and words(changed) == words(svg)


def test_the_pictures_are_the_console(tmp_path: Path) -> None:
    found = asyncio.run(drawn(tmp_path))
    assert set(found) == {path.stem for path in PICTURES.glob("*.svg")}
    for name, svg in found.items():
        assert words(svg) == words((PICTURES / f"{name}.svg").read_text()), (
            f"make pictures, then look at {name}.svg"
        )
        assert len(words(svg)) > 500
