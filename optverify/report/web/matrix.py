"""The section of the libraries: which dialect each optimizer computes, a cell each with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from optverify.conformance.matrix import Matrix, known_libraries
from optverify.conformance.matrix_cell import Cell
from optverify.conformance.verdict import shown_by
from optverify.report.web.home import Entry
from optverify.report.web.section import Section, html
from optverify.rules import rule

ID = "libraries"
MARKS = {
    "paper": ("ok", "=", "paper"),
    "dialect": ("warn", "◆", "dialect"),
    "departs": ("bad", "✗", "departs"),
    "failed": ("bad", "!", "not run"),
}
"""Verdict -> class, glyph, word."""
ORDER = tuple(MARKS)


def matrix_section(matrix: Matrix) -> Section:
    """Rules by libraries; what a cell knows is in the data."""
    libraries = {name: known_libraries()[name].title for name in matrix.ran}
    by_place: dict[str, dict[str, list[Cell]]] = {}
    for cell in matrix.cells:
        by_place.setdefault(cell.rule, {}).setdefault(cell.library, []).append(cell)
    rules = sorted((rule(name) for name in by_place), key=lambda r: r.title.lower())
    body = html(
        "matrix.html.j2",
        rules=rules,
        libraries=libraries,
        ran=matrix.ran,
        cells=by_place,
        marks=MARKS,
        worst=worst,
        missing=matrix.missing,
    )
    evidence = {
        f"cell.{library}.{name}": html(
            "cell.html.j2", cells=[told(c) for c in cells], title=libraries[library]
        )
        for name, row in by_place.items()
        for library, cells in row.items()
    }
    return Section(ID, "Libraries", body, ("tables.js", "matrix.js"), ("evidence.css",), {"cells": evidence})


def matrix_row(matrix: Matrix, name: str) -> Markup:
    """What the libraries compute for a rule, on its card; empty where none has it."""
    cells = [c for c in matrix.cells if c.rule == name]
    titles = {library: known_libraries()[library].title for library in matrix.ran}
    return html("matrix_row.html.j2", cells=cells, titles=titles, marks=MARKS) if cells else Markup("")


def search_entries(matrix: Matrix) -> Iterable[Entry]:
    """Every optimizer by its own name."""
    for cell in matrix.cells:
        yield f"cell.{cell.library}.{cell.rule}", f"optimizer, {cell.verdict}", cell.spelled, cell.rule


def worst(cells: Sequence[Cell]) -> Cell:
    """The one whose verdict a cell of the table shows: a library may have a rule twice."""
    return min(cells, key=lambda c: ORDER.index(c.verdict))


def told(cell: Cell) -> dict[str, Any]:
    """A cell in words: its verdict, its dialect, defaults that differ, paths and switches."""
    options = {axis: str(o).lower() if isinstance(o, bool) else o for axis, o in cell.options.items()}
    return {
        "cell": cell,
        "mark": MARKS[cell.verdict],
        "options": options,
        "address": f"#{cell.rule}{'?' if options else ''}{urlencode(options)}",
        "command": shown_by(cell.rule, cell.options),
        "error": "0" if cell.error == 0 else "not finite" if cell.error is None else f"{cell.error:.0e}",
        "defaults": list(_defaults(cell)),
        "float32": "" if not cell.error32 else f"{cell.error32:.0e}",
    }


def _defaults(cell: Cell) -> Iterable[tuple[str, str, str]]:
    """Name, their value, the paper's, where they differ."""
    paper: Mapping[str, Any] = {h.name: h.default for h in rule(cell.rule).every_hyperparameter}
    for name, value in cell.defaults.items():
        theirs, ours = (("required" if v is None else f"{v:g}") for v in (value, paper.get(name)))
        if value is not None and value != paper.get(name) and (value or paper.get(name)):
            yield name, theirs, ours
