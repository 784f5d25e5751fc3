"""The font of formulas: what the page needs of Latin Modern Math.

`python -m optverify.report.web.font latinmodern-math.otf` writes it, with fontTools and brotli. It is a part
of the font under another name, as its licence (the GUST Font License, `static/mathematics.txt`) asks for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from optverify.formulas.commands import BIG, BRACKETS, GREEK, NEGATED, OPERATORS, UPRIGHT
from optverify.formulas.mathml import BOLD, DOUBLE, MARKS, SCRIPT

NAME = "Mathematics"
PLACE = Path(__file__).parent / "static" / "mathematics.woff2"
TABLES = (BIG, BRACKETS, GREEK, NEGATED, OPERATORS, UPRIGHT, BOLD, DOUBLE, MARKS, SCRIPT)
LATIN = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100))))
SIGNS = "−∗′⏟⎧⎨⎩⎪⟸"
ITALIC = "".join(map(chr, (0x210E, *range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C))))
"""What browsers take for single letters: italic Latin and small Greek."""


def characters() -> str:
    """Every character that a formula may be made of."""
    written = "".join(text for table in TABLES for text in table.values())
    return "".join(sorted({*written, *LATIN, *SIGNS, *ITALIC}))


def write(font: str) -> None:
    """Make the part of a font, and put it in its place."""
    from fontTools import subset

    options = subset.Options(flavor="woff2", layout_features=["*"], name_IDs=["*"], notdef_outline=True)
    loaded = subset.load_font(font, options)
    chosen = subset.Subsetter(options)
    chosen.populate(text=characters())
    chosen.subset(loaded)
    for record in loaded["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = NAME
    loaded["head"].modified = loaded["head"].created
    subset.save_font(loaded, str(PLACE), options)


if __name__ == "__main__":
    write(sys.argv[1])
