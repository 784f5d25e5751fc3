"""JSON as it is written: short lines, a row of numbers on one of them, the same bytes everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from optverify import files

WIDTH = 800
"""Characters of a line that may hold a whole value."""
DEEPEST = 3
"""Spaces before a line at most."""


def text(data: Any) -> str:
    """The file, with a line end."""
    return _text(data, 0) + "\n"


def _text(data: Any, depth: int) -> str:
    plain = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if not isinstance(data, (dict, list)) or not data or len(plain) <= WIDTH - depth:
        return plain
    if isinstance(data, list) and not any(isinstance(x, (dict, list)) for x in data):
        return plain
    inside, outside = " " * min(depth + 1, DEEPEST), " " * min(depth, DEEPEST)
    if isinstance(data, dict):
        parts = [f"{json.dumps(k, ensure_ascii=False)}:{_text(v, depth + 1)}" for k, v in data.items()]
    else:
        parts = [_text(v, depth + 1) for v in data]
    left, right = "{}" if isinstance(data, dict) else "[]"
    return f"{left}\n{inside}" + f",\n{inside}".join(parts) + f"\n{outside}{right}"


def write_text(path: Path, content: str) -> None:
    """Write a file whole or not at all; nothing is done where it holds that already."""
    if path.is_file() and path.read_bytes() == content.encode():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, content)
