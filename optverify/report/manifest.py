"""What the files of a report were made with, and whether a folder holds what would be made now."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import zlib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import matplotlib
import numpy as np
import sympy as sp

import optverify
from optverify.report.runs import SEEDS
from optverify.report.web.document import opened

NAME = "MANIFEST.json"
BESIDE = {
    "optverify vectors": ("vectors/*",),
    "optverify matrix": ("conformance.md", "conformance.json"),
    "optverify bench": ("benchmarks.md", "benchmarks.svg", "benchmarks.json"),
}
"""Command -> what it writes into the folder of the report: as run there and then, so not in the manifest."""
TOLERANCE = 0.5
"""How far apart two numbers of a figure may be, in points: rounding aside, this is not visible."""


def environment() -> dict[str, str]:
    """All that the bytes of a figure can hang on: versions, and what the last bit of a result hangs on."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {
        "optverify": optverify.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "sympy": sp.__version__,
        "matplotlib": matplotlib.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "platform": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver()).strip()}",
        "simd": " ".join(found),
    }


def manifest(files: Mapping[str, str]) -> str:
    """The manifest of these files, as JSON."""
    content = {
        "environment": environment(),
        "seeds": {"runs": list(SEEDS)},
        "sha256": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())},
    }
    return json.dumps(content, indent=2) + "\n"


def is_beside(name: str) -> bool:
    """True if a file in the folder of the report is another command's."""
    return any(fnmatchcase(name, pattern) for patterns in BESIDE.values() for pattern in patterns)


def same_environment(text: str) -> bool:
    """True if a manifest was made in an environment like this one, so that the bytes can be compared."""
    try:
        content: Any = json.loads(text)
    except ValueError:
        return False
    return isinstance(content, dict) and content.get("environment") == environment()


def difference(name: str, committed: str, fresh: str, bytewise: bool) -> str:
    """How a file differs from a fresh one, in one sentence; empty if it does not.

    Not bytewise, a figure may differ in numbers that are close, and the manifest is not compared.
    """
    if committed == fresh or (not bytewise and name == NAME):
        return ""
    if not bytewise and name.endswith(".svg"):
        return figure_difference(name, committed, fresh)
    if not bytewise and name.endswith(".html"):
        return page_difference(name, committed, fresh)
    pairs = zip(committed.splitlines(), fresh.splitlines(), strict=False)
    line, (old, new) = next(
        ((i, pair) for i, pair in enumerate(pairs, 1) if pair[0] != pair[1]), (0, ("", ""))
    )
    if not line:
        return f"{name} has {len(committed.splitlines())} lines, a fresh one {len(fresh.splitlines())}"
    return f"{name}, line {line}: has {old[:120]!r}, a fresh one {new[:120]!r}"


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
IDENTIFIER = re.compile(r'\bid="[^"]*"|url\(#[^)]*\)|href="#[^"]*"')


def figure_difference(name: str, committed: str, fresh: str) -> str:
    """As `difference`, for two SVG texts whose numbers may differ by TOLERANCE; identifiers hash them."""
    texts = [IDENTIFIER.sub("", text) for text in (committed, fresh)]
    shapes = [NUMBER.sub("0", text) for text in texts]
    if shapes[0] != shapes[1]:
        return f"{name} draws something else than a fresh one"
    old, new = (np.array([float(x) for x in NUMBER.findall(text)]) for text in texts)
    worst = float(np.max(np.abs(old - new), initial=0.0))
    return f"{name} differs from a fresh one by {worst:.2g} points" if worst > TOLERANCE else ""


DRAWN = re.compile(r"<svg.*?</svg>", re.DOTALL)


def page_difference(name: str, committed: str, fresh: str) -> str:
    """As `difference`, for two pages: with their data unpacked, drawings by their numbers."""
    old, new = (opened(text) for text in (committed, fresh))
    if sentence := difference(name, DRAWN.sub("", old), DRAWN.sub("", new), True):
        return sentence
    pairs = zip(DRAWN.findall(old), DRAWN.findall(new), strict=False)
    return next((found for a, b in pairs if (found := figure_difference(name, a, b))), "")
