"""The matrix as a page: what was run, when and with which version; the numbers are those of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optverify.conformance.matrix import Matrix, known_libraries
from optverify.conformance.matrix_cell import Cell
from optverify.rules import rule as rule_named

MARKS = {"paper": "paper", "dialect": "dialect", "departs": "**departs**", "failed": "not run"}
BEST = ("paper", "dialect", "departs", "failed")


def page(matrix: Matrix) -> str:
    """Markdown, as GitHub shows it."""
    return "\n".join([*_head(matrix), *_overview(matrix), *_departures(matrix), *_libraries(matrix)]) + "\n"


def _head(matrix: Matrix) -> Iterator[str]:
    yield from (
        "# Which Adam is this? What libraries compute",
        "",
        "Written by `optverify matrix`: every installed optimizer is driven through the probes, in float64,",
        "and compares each update over lr with the rule. Only what was run is told, with date and version.",
        "",
        "- **paper**: the rule of the paper, when whatever the paper does not have is turned off.",
        "- **dialect**: another dialect of the rule, which is named.",
        "- **departs**: none of the dialects; the first update that departs is told. It may be as meant.",
        "",
        "An error is the largest of an update, relative to each coordinate, beyond what adding it to theta",
        "rounds away: 0 is none beyond that. A float64 run that is 1e-10 to 1e-6 away keeps some numbers in",
        "float32; cancellation makes that more.",
        "",
        "| Library | Version | Run on | Optimizers | Paper | Dialect | Departs |",
        "|---|---|---|--:|--:|--:|--:|",
    )
    for name, cells in _by_library(matrix).items():
        version, date = matrix.ran[name]
        counts = [sum(c.verdict == v for c in cells) for v in BEST[:3]]
        title = known_libraries()[name].title
        yield f"| [{title}](#{_anchor(title)}) | {version} | {date} | {len(cells)} | {_row(counts)} |"
    if matrix.missing:
        yield from ("", f"Not installed, so not run: {', '.join(matrix.missing)}.")


def _by_library(matrix: Matrix) -> dict[str, list[Cell]]:
    found: dict[str, list[Cell]] = {}
    for cell in matrix.cells:
        found.setdefault(cell.library, []).append(cell)
    return found


def _overview(matrix: Matrix) -> Iterator[str]:
    libraries = list(_by_library(matrix))
    yield from ("", "## Rules and libraries", "")
    yield f"| Rule | {' | '.join(libraries)} |"
    yield "|---|" + "---|" * len(libraries)
    for name in sorted({c.rule for c in matrix.cells}, key=lambda n: str(rule_named(n).title).lower()):
        row = []
        for library in libraries:
            verdicts = [c.verdict for c in matrix.cells if c.library == library and c.rule == name]
            row.append(MARKS[min(verdicts, key=BEST.index)] if verdicts else "")
        yield f"| {rule_named(name).title} | {_row(row)} |"


def _departures(matrix: Matrix) -> Iterator[str]:
    departing = [c for c in matrix.cells if c.verdict in ("departs", "failed")]
    apart = [
        (c, n, said) for c in matrix.cells for n, said in c.paths.items() if said.startswith("departs, ")
    ]
    if departing or apart:
        yield from ("", "## Departures", "")
    for c in departing:
        yield f"- `{c.spelled}` ({c.library} {c.version}): {'; '.join(c.notes)}."
    for c, name, said in apart:
        rest = said.removeprefix("departs, ")
        yield f"- `{c.spelled}` ({c.library} {c.version}), on its path `{name}` alone: {rest}."


def _libraries(matrix: Matrix) -> Iterator[str]:
    for name, cells in _by_library(matrix).items():
        version, date = matrix.ran[name]
        title = known_libraries()[name].title
        yield from ("", f"## {title}", "", f"Version {version}, run on {date}.", "")
        yield "| Optimizer | Rule | Verdict | Dialect | Error | Defaults that differ | Notes |"
        yield "|---|---|---|---|--:|---|---|"
        for c in cells:
            yield f"| {_row(_cells_of(c))} |"
        skipped = sorted({s.partition(" (")[0] for c in cells for s in c.skipped})
        if skipped:
            yield from ("", f"Probes that some of them cannot take: {', '.join(skipped)}.")


def _cells_of(c: Cell) -> Iterator[str]:
    yield f"`{c.spelled}`"
    yield str(rule_named(c.rule).title)
    yield MARKS[c.verdict]
    yield ", ".join(f"{n}={x!r}" for n, x in c.options.items()) or "as in the paper"
    yield _error(c.error)
    yield ", ".join(_defaults(c))
    notes = list(c.notes) if c.verdict in ("paper", "dialect") else ["see above"]
    if c.error32:
        notes.append(f"float32: {_error(c.error32)}")
    if agreeing := [f"`{n}`" for n, said in c.paths.items() if said == "agrees"]:
        notes.append(f"{', '.join(agreeing)}: the same")
    others: dict[str, list[str]] = {}
    for path, said in c.paths.items():
        if said != "agrees":
            others.setdefault(said, []).append(f"`{path}`")
    notes.extend(f"{', '.join(paths)}: {said}" for said, paths in others.items())
    notes.extend(f"`{n}`: {said.removesuffix(': agrees')}" for n, said in c.switches.items())
    yield "; ".join(note.rstrip(".") for note in notes)


def _error(error: float | None) -> str:
    """As a reader wants it."""
    return "0" if error == 0 else "not finite" if error is None else f"{error:.0e}"


def _defaults(c: Cell) -> Iterator[str]:
    """Theirs, where they are not the paper's; what the paper does not have, where it does something."""
    paper: Mapping[str, Any] = {h.name: h.default for h in rule_named(c.rule).hyperparameters}
    for name, value in c.defaults.items():
        if value is None:
            yield f"{name}: no number"
        elif paper.get(name) is None:
            if value:
                yield f"{name}={value:g}"
        elif value != paper[name]:
            yield f"{name}={value:g} (paper {paper[name]:g})"


def _row(cells: Iterable[Any]) -> str:
    return " | ".join(str(c).replace("|", "\\|") for c in cells)


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")
