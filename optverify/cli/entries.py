"""What `optverify show` says of parameters, axes and sources, of a schedule and of a problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from optverify.cli.output import print_json, print_table

if TYPE_CHECKING:
    from optverify.language import Axis, Option, Parameter, Source

Facts = dict[str, Any]


def parameters(found: Iterable[Parameter]) -> list[Facts]:
    """Parameters for JSON."""
    return [
        {
            "name": h.name,
            "latex": h.latex,
            "default": h.default,
            "domain": str(h.domain),
            "meaning": h.meaning,
        }
        for h in found
    ]


def axes(found: Iterable[Axis], chosen: Mapping[str, Option]) -> list[Facts]:
    """Axes for JSON: an option is a string or a boolean; as a key it is written as --option takes it."""
    return [
        {
            "name": a.name,
            "question": a.question,
            "options": {_word(o): meaning for o, meaning in a.options.items()},
            "default": a.default,
            "chosen": chosen[a.name],
        }
        for a in found
    ]


def sources(found: Iterable[Source]) -> list[Facts]:
    """Sources for JSON."""
    return [{"citation": str(s), "link": s.link} for s in found]


def _word(option: Option) -> str:
    """An option as --option takes it."""
    return str(option).lower() if isinstance(option, bool) else option


def print_parameters(heading: str, rows: Sequence[Facts]) -> None:
    """A table of parameters."""
    print_table(
        [heading, "default>", "range", "meaning"],
        [
            (
                h["name"],
                "to be given" if h["default"] is None else f"{h['default']:g}",
                h["domain"],
                h["meaning"],
            )
            for h in rows
        ],
    )


def print_axes(rows: Sequence[Facts]) -> None:
    """A table of axes, the chosen option of each starred; nothing if there is none."""
    if not rows:
        return
    print_table(
        ["axis", "option", "what it does"],
        [
            (a["name"] if not i else "", f"{'* ' if o == _word(a['chosen']) else '  '}{o}", meaning)
            for a in rows
            for i, (o, meaning) in enumerate(a["options"].items())
        ],
    )
    click.echo("(* chosen here; --option axis=value chooses another)\n")


def print_sources(rows: Sequence[Facts]) -> None:
    """A line a source."""
    for source in rows:
        click.echo(f"Source: {source['citation']}" + (f" <{source['link']}>" if source["link"] else ""))


def show_schedule(name: str, options: Mapping[str, str], form: str | None) -> None:
    """Print a schedule; form: "latex", "json" or None."""
    from optverify.cli.pretty import pretty
    from optverify.language.messages import unknown
    from optverify.schedules import registry

    family = registry.get(name)
    known = {a.name: a for a in family.axes}
    for axis in options:
        if axis not in known:
            raise ValueError(
                unknown("axis", axis, known)
                if known
                else f"schedule {name!r} has no axes: leave out --option"
            )
    chosen = {a.name: a.check(options.get(a.name, a.default)) for a in family.axes}
    lines = family.lines(**chosen)
    facts: Facts = {
        "name": family.name,
        "title": family.title,
        "summary": family.summary,
        "options": chosen,
        "latex": family.latex(**chosen),
        "equations": [{"left": str(left), "right": str(right)} for left, right in lines],
        "parameters": parameters(family.hyperparameters),
        "conditions": [str(c) for c in family.conditions],
        "axes": axes(family.axes, chosen),
        "sources": sources(family.sources),
    }
    if form == "latex":
        click.echo(facts["latex"])
    elif form == "json":
        print_json(facts)
    else:
        import sympy as sp

        click.echo(f"{family.title} ({family.name}): {family.summary}\n")
        for left, right in lines:
            equation = pretty(sp.Eq(left, right, evaluate=False))
            click.echo("\n".join(f"  {line.rstrip()}" for line in equation.splitlines()) + "\n")
        click.echo("t counts the updates already made; the first update reads t = 0.\n")
        print_parameters("parameter", facts["parameters"])
        if facts["conditions"]:
            click.echo(f"It needs {' and '.join(facts['conditions'])}.\n")
        print_axes(facts["axes"])
        print_sources(facts["sources"])


def show_problem(name: str, options: Mapping[str, str], form: str | None) -> None:
    """Print a problem with its default parameters; form as in `show_schedule`."""
    from optverify.problems import problem

    if options:
        raise ValueError(f"{name!r} is a problem, and problems have no axes: leave out --option")
    p = problem(name)
    minimum = p.minimum.value if math.isfinite(p.minimum.value) else None
    facts: Facts = {
        "name": p.name,
        "title": p.title,
        "latex": p.latex,
        "symbols": dict(p.symbols),
        "dimension": p.dim,
        "infimum": minimum,
        "minimizers": [[float(x) for x in point] for point in p.minimum.all],
        "smoothness": p.smoothness,
        "strong_convexity": p.strong_convexity,
        "tags": sorted(p.tags),
        "source": p.source,
    }
    if form == "latex":
        click.echo(p.latex)
    elif form == "json":
        print_json(facts)
    else:
        from optverify.report.reference import problem_page

        page = problem_page(p)
        click.echo(f"{page.title} ({page.name}): {page.kind}\n\n  {page.latex}\n")
        if page.symbols:
            print_table(["symbol", "meaning"], page.symbols.items())
        print_table(
            ["", "with default parameters"],
            [
                ("dimension", page.dimension),
                ("infimum", page.infimum),
                *[("minimizer", _point(point)) for point in facts["minimizers"][:4]],
                ("L (smoothness)", page.smoothness),
                ("mu (strong convexity)", page.convexity),
            ],
        )
        click.echo(f"Source: {page.source}")


def _point(point: Sequence[float], shown: int = 6) -> str:
    numbers = [f"{x:g}" for x in point[:shown]]
    return f"({', '.join([*numbers, '...'] if len(point) > shown else numbers)})"
