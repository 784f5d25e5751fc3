"""A run of the benchmark as a page: which figures were required, which are reached, and every number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from optverify.bench import BARE, NUMBA, NUMPY, TEXT, Cell, Figure, Load, Results, Spread, peers
from optverify.bench.memory import MIB
from optverify.bench.ours import PURE

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""What it shows, its columns (a name that ends in > is aligned to the right), its rows."""

ORDER = (BARE, NUMBA, NUMPY, PURE[NUMBA], PURE[NUMPY], TEXT, *peers.NAMES)
WHY = (
    "What a bare pass would have in its place is the most that memory allows.",
    "",
    "Why: a loop with a power waits for NumPy's `power`, which takes several times as long as memory (padam,",
    "madgrad). In float64 a core divides and takes roots at the pace of memory or below, so that rules with",
    "three or more of them to a coordinate are bound by the divider; products with reciprocals would be",
    "faster, and other numbers. Of the textbook classes, gradient descent has two operations and one",
    "temporary array: little to save, and NumPy still makes a pass an operation over its buffers.",
)
FAST = 1e5
"""From this many parameters on, times are told a parameter."""


def page(results: Results) -> str:
    """Markdown, as GitHub shows it."""
    return "\n".join(_lines(results))


def _lines(results: Results) -> Iterator[str]:
    yield from (
        "# Benchmarks",
        "",
        "Written by `optverify bench --out reports`: one run, in which the competitors of a line take turns.",
        "A time is the median over the rounds; a ratio is taken inside each round, and told as its median",
        "with the quartiles in brackets. Nothing here is tuned to the machine.",
        "",
        "; ".join(f"{name} {value}" for name, value in results.machine.items()) + ".",
        "",
        *_busy(results),
        "- **bare pass**: the same loop over the same arrays that only adds: the floor that memory sets.",
        "- **numba**, **numpy**: `update` of the generated steps, in place; for a tree `Optimizer.update`,",
        "  which also checks that all gradients are finite. *pure*: `step`, into new arrays.",
        "- **textbook**: the classes people write, whole arrays at a time.",
        "- **torch**, **torch foreach**, **torch fused**: `step()` of the rule's optimizer in `torch.optim`;",
        f"  the first, one array at a time, for arrays up to {peers.LARGE:,}: of one array foreach makes the",
        "  same calls.",
        "- **optax**: under `jax.jit`, parameters and state donated, waited for; the tree for",
        f"  {' and '.join(peers.TREES)} only, since a thousand arrays take long to compile.",
        "",
        "![Time a parameter for every rule, and of Adam for every size](benchmarks.svg)",
        "",
        "## What was required",
        "",
    )
    yield from _markdown(required(results))
    yield from _misses(results)
    for table in times(results):
        yield from ("", f"## {table[0]}", "")
        yield from _markdown(table)
    yield from ("", f"A name in the last column is the fastest besides the {BARE}.")
    for table in (*memory(results), *growth(results), *starts(results)):
        yield from ("", f"## {table[0]}", "")
        yield from _markdown(table)
    yield ""


def _busy(results: Results) -> Iterator[str]:
    """That other processes disturbed the run, where more wanted to run than there are processors."""
    load, cpus = (float(results.machine.get(name, 0)) for name in ("load", "cpus"))
    if load > cpus:
        yield f"**The machine was busy**: {load:g} processes wanted its {cpus:g} processors. Times are"
        yield "longer, spreads wider and some ratios off; verdicts that stand need an idle machine."
        yield ""


def _markdown(table: Table) -> Iterator[str]:
    _, columns, rows = table
    yield "| " + " | ".join(c.rstrip(">") for c in columns) + " |"
    yield "|" + "|".join("--:" if c.endswith(">") else "---" for c in columns) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


# ---- what was required -------------------------------------------------------------------------------------


def required(results: Results) -> Table:
    """A row a figure and type."""
    groups: dict[tuple[Figure, str], list[tuple[Cell, Spread, str]]] = {}
    for figure, cell, value, verdict in results.required():
        groups.setdefault((figure, cell.load.dtype), []).append((cell, value, verdict))
    rows = []
    for (figure, dtype), found in groups.items():
        middles = {cell.rule: value[1] for cell, value, _ in found}
        worst = (max if figure.at_most else min)(middles, key=lambda rule: middles[rule])
        reached = sum(verdict == "yes" for *_, verdict in found)
        level = sum(verdict == "level" for *_, verdict in found)
        rows.append(
            (
                figure.claim,
                f"{Load(figure.size, figure.count, dtype)}",
                f"{reached} of {len(found)}" + (f", {level} level" if level else ""),
                _number(median(middles.values())),
                f"{_number(middles[worst])} ({worst})",
            )
        )
    return "What was required", ("required", "load", "rules that reach it", "median>", "worst>"), rows


def _misses(results: Results) -> Iterator[str]:
    """Every ratio that misses its bound, with quartiles."""
    missed = [
        f"- {cell.rule}, {cell.load}: {figure.ratio} = {_ratio(value)}, required "
        f"{'at most' if figure.at_most else 'at least'} {figure.bound:g}"
        + ("; level within the quartiles" if verdict == "level" else "")
        + _limit(figure, cell)
        for figure, cell, value, verdict in results.required()
        if verdict != "yes"
    ]
    if missed:
        yield from ("", "Not reached:", "", *missed, "", *WHY)


def _limit(figure: Figure, cell: Cell) -> str:
    """What could be reached at most, where another competitor is to be outrun."""
    times = [cell.seconds[n][1] for n in (figure.ratio.partition("/")[0], BARE) if n in cell.seconds]
    return "" if figure.at_most or len(times) < 2 else f"; a bare pass: {times[0] / times[1]:.2f}"


# ---- every number ------------------------------------------------------------------------------------------


def times(results: Results) -> Iterator[Table]:
    """A table a load: time of each competitor, and the ratio to the bare pass."""
    for load in dict.fromkeys(cell.load for cell in results.cells):
        cells = [cell for cell in results.cells if cell.load == load]
        names = [n for n in ORDER if any(n in cell.seconds for cell in cells)]
        scale, unit = (1e9 / load.numbers, "ns a parameter") if load.numbers >= FAST else (1e6, "µs")
        compared = f"{NUMBA}/{BARE}" if BARE in names else f"{TEXT}/{NUMPY}"
        rows = [
            (
                cell.rule,
                *(_number(scale * cell.seconds[n][1]) if n in cell.seconds else "" for n in names),
                _ratio(cell.ratios[compared]) if compared in cell.ratios else "",
                min((n for n in cell.seconds if n != BARE), key=lambda n: cell.seconds[n][1]),
            )
            for cell in cells
        ]
        yield f"{load}: {unit}", ("rule", *(f"{n}>" for n in names), f"{compared}>", "fastest"), rows


def memory(results: Results) -> Iterator[Table]:
    """What updates allocate."""
    rows = [
        (
            a.rule,
            str(a.load),
            a.competitor,
            _mib(a.traced),
            "" if a.resident is None else _mib(a.resident),
            _mib(a.results),
        )
        for a in results.allocations
    ]
    if rows:
        columns = ("rule", "load", "update", "allocated, MiB>", "process grows, MiB>", "its results, MiB>")
        yield "Memory of an update", columns, rows


def growth(results: Results) -> Iterator[Table]:
    """Slopes."""
    rows = [
        (g.rule, g.competitor, f"{g.of}, {g.numbers[0]:,} to {g.numbers[-1]:,}", f"{g.slope:.3f}")
        for g in results.growths
    ]
    if rows:
        yield "Growth: slope of log time over log number", ("rule", "update", "number of", "slope>"), rows


def starts(results: Results) -> Iterator[Table]:
    """What takes how long to start."""
    rows = [(f"`{s.what}`", _number(s.least), _number(s.median)) for s in results.starts]
    if rows:
        yield "Start-up, milliseconds", ("what", "least>", "median>"), rows


def _mib(size: int) -> str:
    return f"{size / MIB:.3f}"


def _number(x: float) -> str:
    """Three digits."""
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def _ratio(value: Spread) -> str:
    low, middle, high = value
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def tables(results: Results) -> Iterable[Table]:
    """All of them, in order."""
    return (required(results), *times(results), *memory(results), *growth(results), *starts(results))
