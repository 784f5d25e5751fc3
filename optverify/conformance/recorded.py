"""The matrix that came with the package, as `optverify matrix` wrote it."""

from __future__ import annotations

import json
from pathlib import Path

from optverify.conformance.matrix import Matrix

INSTALLED = Path(__file__).parent / "conformance.json"
IN_TREE = Path(__file__).parents[2] / "reports" / "conformance.json"


def recorded_file() -> Path:
    """Where it lies: in the installed package, or in the report of the tree."""
    return INSTALLED if INSTALLED.is_file() else IN_TREE


def recorded() -> Matrix:
    """The last run that was kept."""
    return Matrix.from_dict(json.loads(recorded_file().read_text("utf-8")))
