"""optverify verify"""

from __future__ import annotations

from collections import Counter
from itertools import count, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optverify.cli import completion
from optverify.cli.group import FAILED, HOLDS, command
from optverify.cli.output import print_json, print_table, progress, width

if TYPE_CHECKING:
    from optverify.claims import Result
    from optverify.ledger import Score

ROOM_FOR_SENTENCES = 140


@command
@click.argument("ids", nargs=-1, shell_complete=completion.of(completion.claims))
@click.option(
    "--rule",
    "rules",
    multiple=True,
    shell_complete=completion.of(completion.rules),
    help="Only the claims about this rule; repeatable.",
)
@click.option("--pep", is_flag=True, help="Also the claims that solve a performance-estimation problem.")
@click.option("--mutants", is_flag=True, help="Also say which mutants of the rules the claims catch.")
@click.option("--no-cache", is_flag=True, help="Decide everything anew.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Also write JUnit XML."
)
def run(
    *,
    ids: tuple[str, ...],
    rules: tuple[str, ...],
    pep: bool,
    mutants: bool,
    no_cache: bool,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Run the claims, all of them or those with these IDS, and say which verdicts are as expected."""
    from optverify.ledger import cores

    settings = {"cache": not no_cache, "jobs": cores()}
    results = _decide(ids, rules, pep, settings)
    scores = _judge(ids, rules, settings) if mutants else []
    if junit is not None:
        from optverify.cli.junit import write_junit

        write_junit(junit, results)
    if as_json:
        found: Any = [result.to_dict() for result in results]
        print_json({"claims": found, "mutants": [s.to_dict() for s in scores]} if mutants else found)
    else:
        _print_claims(results, in_full=bool(ids or rules))
        if mutants:
            _print_mutants(scores, in_full=bool(rules))
    passed = all(r.ok or r.missing for r in results) and all(s.ok for s in scores)
    return HOLDS if passed else FAILED


def _decide(ids: tuple[str, ...], rules: tuple[str, ...], pep: bool, settings: Any) -> list[Result]:
    from optverify.ledger import chosen, verify

    total = len(chosen(ids or None, rules or None, pep))
    if not total:
        raise ValueError(
            "no claim is among those asked for: leave out an id or a --rule, or see `optverify list claims`"
        )
    done = count(1)
    with progress("claims", total) as advance:
        results: list[Result] = verify(
            ids or None,
            rules or None,
            pep=pep,
            on_result=lambda r: advance(next(done), r.claim.id),
            **settings,
        )
    return results


def _judge(ids: tuple[str, ...], rules: tuple[str, ...], settings: Any) -> list[Score]:
    from optverify.ledger import Fate, count_mutants, score

    if ids:
        raise ValueError("--mutants takes the claims of whole rules: give --rule instead of ids of claims")
    done = 0
    with progress("mutants", count_mutants(rules or None)) as advance:

        def show(fates: list[Fate]) -> None:
            nonlocal done
            done += len(fates)
            advance(done, f"mutants of {fates[0].rule}")

        return score(rules or None, on_fates=show, **settings)


def _print_claims(results: list[Result], in_full: bool) -> None:
    columns = ["", "claim", "s>", "verdict", "evidence"]
    sentences = width() >= ROOM_FOR_SENTENCES
    rows: list[tuple[str, ...]] = []
    for family, members in groupby(results, lambda r: r.claim.id if in_full else r.claim.family):
        group = list(members)
        row = _one(group[0]) if len(group) == 1 else _many(family, group)
        rows.append((*row, group[0].claim.title) if sentences else row)
    print_table([*columns, "statement"] if sentences else columns, rows)
    _print_what_failed(results)
    as_expected = sum(r.ok for r in results)
    click.echo(
        f"{as_expected} of {len(results)} claims as expected in {sum(r.seconds for r in results):.1f} s"
    )


def _one(r: Result) -> tuple[str, ...]:
    state = "ok" if r.ok else "-" if r.missing else "FAILED"
    return (state, r.claim.id, f"{r.seconds:.2f}", r.verdict, r.evidence)


def _many(family: str, group: list[Result]) -> tuple[str, ...]:
    verdicts = Counter(r.verdict for r in group)
    evidence = Counter(r.evidence for r in group)
    return (
        "ok" if all(r.ok for r in group) else "FAILED",
        f"{family}.*",
        f"{sum(r.seconds for r in group):.2f}",
        ", ".join(f"{n} {verdict}" for verdict, n in verdicts.most_common()),
        ", ".join(kind for kind, _ in evidence.most_common()),
    )


def _print_what_failed(results: list[Result]) -> None:
    for r in results:
        if not r.ok and not r.missing:
            click.echo(f"{r.claim.id}: expected {r.claim.expected!r}, found {r.verdict!r}: {r.detail}")
    for extra, n in Counter(r.missing for r in results if r.missing).items():
        click.echo(f"{n} claims not decided, for want of tools: pip install 'optverify[{extra}]'")


def _print_mutants(scores: list[Score], in_full: bool) -> None:
    from optverify.ledger import LAYERS, totals

    if in_full:
        rows = [
            (f.rule, f.mutant, *(f.killers.get(layer, "-") for layer in LAYERS[:2]))
            for s in scores
            for f in s.fates
        ]
        print_table(["rule", "mutant", "claim that kills it", "property that kills it"], rows)
    columns = ["rule", "mutants>", *(f"{layer}>" for layer in LAYERS), "killed>", "survive>"]
    print_table(columns, [_score_row(s) for s in [*scores, totals(scores)]])
    for s in scores:
        for fate in s.survivors:
            click.echo(f"{s.rule}: {fate.mutant} survives: {fate.reason or 'NO REASON IS WRITTEN DOWN'}")
        if not s.ok and s.share < s.required:
            click.echo(f"{s.rule}: {s.share:.1%} of the mutants are killed; {s.required:.0%} are required")


def _score_row(s: Score) -> tuple[str, ...]:
    from optverify.ledger import LAYERS

    caught = [str(s.caught(layer)) for layer in LAYERS]
    return (s.rule, str(len(s.fates)), *caught, f"{s.share:.1%}", str(len(s.survivors)))
