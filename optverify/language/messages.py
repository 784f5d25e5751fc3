"""One clear sentence for a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MANY, FEW = 100, 5


def unknown(kind: str, name: object, known: Iterable[object]) -> str:
    """Name what was asked for, the nearest known name, and all known ones, or of very many the nearest."""
    names = sorted(map(str, known))
    swapped = [n for n in names if sorted(n) == sorted(str(name))]  # difflib finds 'adamax' nearer to 'adma'
    near = swapped or get_close_matches(str(name), names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    if len(names) > MANY:
        close = get_close_matches(str(name), names, n=FEW, cutoff=0.3) or names[:FEW]
        hint += f"{len(names)} are known, among them "
        return f"unknown {kind} {str(name)!r}; {hint}{', '.join(close)}"
    return f"unknown {kind} {str(name)!r}; {hint}known: {', '.join(names)}"
