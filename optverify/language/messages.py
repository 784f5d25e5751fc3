"""One clear sentence for a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: object, known: Iterable[object]) -> str:
    """Name what was asked for, the nearest known name, and all known ones."""
    names = sorted(map(str, known))
    swapped = [n for n in names if sorted(n) == sorted(str(name))]  # difflib finds 'adamax' nearer to 'adma'
    near = swapped or get_close_matches(str(name), names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {str(name)!r}; {hint}known: {', '.join(names)}"
