"""All claims, and running them."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module

from optverify.claims._claim import Claim, Result
from optverify.language.messages import unknown
from optverify.rules import rule

PACKAGE = "optverify.claims"


@cache
def _all() -> tuple[Claim, ...]:
    found = {}
    for module in pkgutil.iter_modules(import_module(PACKAGE).__path__):
        if module.name.startswith("_"):
            continue
        for value in vars(import_module(f"{PACKAGE}.{module.name}")).values():
            if isinstance(value, Claim):
                if value.id in found:
                    raise ValueError(f"two claims are called {value.id!r}: give one of them another id")
                found[value.id] = value
    return tuple(sorted(found.values(), key=lambda c: (c.topic, c.id)))


def claims() -> list[Claim]:
    """All claims, sorted by topic and id. A file without _ is a topic; claims need no list."""
    return list(_all())


def claim(id: str) -> Claim:
    """The claim of that id; ValueError with the nearest one if there is none."""
    ids = {c.id: c for c in _all()}
    if id not in ids:
        raise ValueError(unknown("claim", id, ids))
    return ids[id]


def verify(
    ids: Iterable[str] | None = None,
    rules: Iterable[str] | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Decide the claims with these ids, or about these rules, or both; all of them if neither is given.

    on_result: called with each result as it is there. Raises ValueError for an unknown id or rule; whatever a
    claim runs into is a result, so that no claim hides another.
    """
    chosen = claims()
    if ids is not None:
        wanted = {claim(id).id for id in _listed(ids, "ids")}
        chosen = [c for c in chosen if c.id in wanted]
    if rules is not None:
        names = {rule(name).name for name in _listed(rules, "rules")}
        chosen = [c for c in chosen if names & set(c.rules)]
    results = []
    for c in chosen:
        result = c.decide()
        results.append(result)
        if on_result is not None:
            on_result(result)
    return results


def _listed(names: Iterable[str], what: str) -> Iterable[str]:
    if isinstance(names, str):
        raise TypeError(f"{what} = {names!r} is one name: give a list of them, [{names!r}]")
    return names
