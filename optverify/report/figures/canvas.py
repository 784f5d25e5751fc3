"""SVG figures with the same bytes every time, readable on light and dark pages and without colour.

Ink, muted ink and paper are written as the plain colours of the light theme, which every renderer knows; a
style sheet that only browsers heed replaces them where the reader's colour scheme is dark. The other colours
are those of Okabe and Ito, told apart by colour-blind readers; lines carry their names, so that colour is
never the only cue.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

INK, MUTED, PAPER = "#1f2328", "#6e7781", "#ffffff"
DARK = {INK: "#e6edf3", MUTED: "#8b949e", PAPER: "#0d1117"}
STYLE = "<style>@media(prefers-color-scheme:dark){{{}}}</style>".format(
    "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    )
)
COLOURS = {
    "gd": "#0072B2",
    "momentum": "#D55E00",
    "nesterov": "#009E73",
    "adagrad": "#CC79A7",
    "rmsprop": "#E69F00",
    "adam": "#56B4E9",
}
"""Rule -> its colour in every figure."""
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


@cache
def _own_fonts() -> None:
    """See to it that matplotlib knows the fonts it ships: the list it keeps in the user's cache may not."""
    known = {Path(font.fname).name for font in fontManager.ttflist}
    for path in sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf")):
        if path.name not in known:
            fontManager.addfont(path)


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Draw with fixed settings, whatever the reader's own matplotlib settings are."""
    _own_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.hashsalt": f"optverify-{name}",
                "svg.id": name,
                "svg.fonttype": "path",
                "path.simplify": False,  # how many points it keeps can hang on the last bit
                "font.family": "DejaVu Sans",
                "mathtext.fontset": "stix",
                "font.size": 9,
                "axes.titlesize": 10,
                "axes.titleweight": "bold",
                "axes.titlelocation": "left",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.linewidth": 0.6,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "xtick.major.size": 2.5,
                "ytick.major.size": 2.5,
                "axes.edgecolor": INK,
                "axes.labelcolor": INK,
                "text.color": INK,
                "xtick.color": INK,
                "ytick.color": INK,
                "figure.facecolor": "none",
                "axes.facecolor": "none",
                "savefig.facecolor": "none",
            }
        )
        yield


def svg(figure: Figure, description: str) -> str:
    """The figure as SVG text; call it inside `drawing`. description: what a screen reader says."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="svg",
        metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        bbox_inches="tight",
        pad_inches=0.05,
    )
    text = buffer.getvalue().decode()
    text = rounded(text[text.index("<svg") :])
    title = f"<title>{description.replace('&', '&amp;').replace('<', '&lt;')}</title>"
    return re.sub(r"<svg[^>]*>", lambda m: f'{m.group(0)[:-1]} role="img">\n{title}\n{STYLE}', text, count=1)


def rounded(text: str) -> str:
    """Path data to a tenth of a point, places to a hundredth, lines joined.

    Other numbers stay: the scale of a glyph is 0.015625.
    """
    text = re.sub(r"\n\s*", "\n", text)
    text = re.sub(r' d="[^"]*"', lambda m: _round(m.group(0), 1).replace(" \n", " ").replace("\n", " "), text)
    return re.sub(r'translate\([^)]*\)| [xy]="[^"]*"', lambda m: _round(m.group(0), 2), text)


def _round(text: str, digits: int) -> str:
    def shorter(match: re.Match[str]) -> str:
        number = f"{float(match.group(0)):.{digits}f}".rstrip("0").rstrip(".")
        return "0" if number == "-0" else number

    return NUMBER.sub(shorter, text)
