"""Running the claims: from the cache where nothing has changed, else decided, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from optverify.claims import Claim, Result, claim, claims
from optverify.ledger.content import claim_key
from optverify.ledger.store import Store, default_path
from optverify.rules import rule
from optverify.workers import Lost, TimeUp, outcomes, time_limit

WORTH_A_PROCESS = 20
"""Claims; fewer are decided sooner than another process has started."""
SECONDS = 60
"""Time limit of one claim; past it nothing is decided."""


@dataclass(frozen=True)
class _Verdict:
    """What is kept of a Result."""

    verdict: Any
    evidence: Any
    detail: str
    seconds: float
    missing: str = ""

    def about(self, subject: Claim) -> Result:
        return Result(subject, **asdict(self))


def chosen(
    ids: Iterable[str] | None = None, rules: Iterable[str] | None = None, pep: bool = False
) -> list[Claim]:
    """The claims with these ids, or about these rules, or both; all of them if neither is given.

    pep: also those that need a solver for performance estimation, which are slow; a claim named by its id is
    always taken. Raises ValueError for an unknown id or rule.
    """
    found = claims()
    if ids is None:
        found = [c for c in found if pep or c.needs != "pep"]
    else:
        wanted = {claim(id).id for id in _listed(ids, "ids")}
        found = [c for c in found if c.id in wanted]
    if rules is not None:
        names = {rule(name).name for name in _listed(rules, "rules")}
        found = [c for c in found if names & set(c.rules)]
    return found


def verify(
    ids: Iterable[str] | None = None,
    rules: Iterable[str] | None = None,
    *,
    pep: bool = False,
    cache: bool = True,
    jobs: int = 1,
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Decide the claims with these ids, or about these rules, or both; all of them if neither is given.

    pep: also the slow ones that solve a performance-estimation problem. cache: take the verdict from disk
    where neither rule nor claim has changed since; what is decided is kept there in any case. jobs:
    processes; above 1 a script needs the usual `if __name__ == "__main__":`. on_result: called with each
    result as it is there. The results come in the order of the ledger. Raises ValueError for an unknown id or
    rule; whatever a claim runs into is a result, so that no claim hides another.
    """
    results: dict[str, Result] = {}
    for result in _results(chosen(ids, rules, pep), cache, jobs):
        results[result.claim.id] = result
        if on_result is not None:
            on_result(result)
    return [results[c.id] for c in claims() if c.id in results]


def _results(wanted: list[Claim], cache: bool, jobs: int) -> Iterator[Result]:
    store = Store(default_path())
    try:
        keys = {c.id: claim_key(c) for c in wanted}
        left = []
        for c in wanted:
            known = store.get(keys[c.id]) if cache else None
            if known is None:
                left.append(c.id)
            else:
                yield _Verdict(**known).about(c)
        for id, found in outcomes(decide, left, min(jobs, 1 + len(left) // WORTH_A_PROCESS), SECONDS):
            if isinstance(found, Lost):
                yield Result(claim(id), "not decided", "none", str(found), float(SECONDS))
                continue
            if found["verdict"] != "error" and not found["missing"]:
                store.put(keys[id], found)
            yield _Verdict(**found).about(claim(id))
    finally:
        store.close()


def decide(id: str) -> dict[str, Any] | Lost:
    """Decide one claim within its time, in whatever process; as the fields of a _Verdict."""
    try:
        with time_limit(SECONDS):
            result = claim(id).decide()
    except TimeUp:
        return Lost(f"it took longer than {SECONDS} s")
    return asdict(_Verdict(result.verdict, result.evidence, result.detail, result.seconds, result.missing))


def _listed(names: Iterable[str], what: str) -> Iterable[str]:
    if isinstance(names, str):
        raise TypeError(f"{what} = {names!r} is one name: give a list of them, [{names!r}]")
    return names
