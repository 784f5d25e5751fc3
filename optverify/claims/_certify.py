"""Find the certificates of the claims: `python -m optverify.claims._certify [NAME ...]` (the extra `pep`).

Writes one file a problem under `certificates/`. The solver's numbers are rounded and repaired exactly, and
each certificate is checked before it is written; the same solver writes the same bytes again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from optverify.claims._certificates import PROBLEMS, Problem, preferred
from optverify.proof.certificates import Certificate, to_json
from optverify.proof.search import find_certificate
from optverify.rules import rule


def certify(problem: Problem) -> dict[int, Certificate]:
    """A certificate for every horizon of the problem. Raises NotProved where none is found."""
    found = {}
    for n in problem.horizons:
        path = problem.path(rule(problem.rule), n)
        pairs = preferred(n) if problem.prefer else []
        rate, kernel = problem.rate(n), problem.kernel(path)
        found[n] = find_certificate(path, problem.family, problem.measure, rate, kernel=kernel, prefer=pairs)
    return found


def main(names: list[str]) -> None:
    """Write the certificates of these problems, or of all."""
    known = {p.name: p for p in PROBLEMS}
    if stray := set(names) - set(known):
        raise SystemExit(f"unknown problem {', '.join(sorted(stray))}: choose among {', '.join(known)}")
    for name in names or known:
        text = to_json(certify(known[name]))
        Path(__file__).with_name("certificates").joinpath(f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: {len(text)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
