"""The section of the museum: every fault with the right path and the one that was taken, and what is said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from optverify.report.museum import Case, halls
from optverify.report.web.curves import Curve, Drawing
from optverify.report.web.section import Section, html

ID = "museum"
ROWS = 8
"""Updates whose numbers are shown."""
KINDS = {
    "equivalent": ("ok", "≡ equivalent"),
    "another dialect": ("warn", "◆ another dialect"),
    "another rule": ("warn", "◆ another rule"),
    "fault": ("bad", "✗ departs"),
}
"""Kind -> class, and glyph with words."""


def museum() -> Section:
    """All halls; curves, code and numbers are in the data, in the order of the cases in the page."""
    shown = halls()
    cases = [case for hall in shown for exhibit in hall.exhibits for case in exhibit.cases]
    body = html(
        "museum.html.j2",
        halls=shown,
        place=cases.index,
        kinds=KINDS,
        dialect=dialect_link,
        apart=apart,
        exhibits=sum(len(hall.exhibits) for hall in shown),
        cases=len(cases),
    )
    return Section(
        ID,
        "Museum",
        body,
        ("museum.js",),
        ("evidence.css",),
        {"cases": [_stored(case) for case in cases]},
    )


def dialect_link(case: Case) -> str:
    """Where the page shows the equation that the code has in truth; "" for none."""
    if not case.rule or case.judgement.kind not in ("equivalent", "another dialect"):
        return ""
    options = {
        k: str(v).lower() if isinstance(v, bool) else v for k, v in (case.found or case.options).items()
    }
    return f"#{case.rule}{'?' if options else ''}{urlencode(options)}"


def apart(case: Case) -> str:
    """How far the two paths are apart, in words."""
    n = min(len(case.right), len(case.wrong))
    if not all(map(math.isfinite, case.wrong)):
        return "not finite"
    most = max(abs(a - b) for a, b in zip(case.right[:n], case.wrong[:n], strict=True))
    scale = max(map(abs, case.right))
    if most <= 1e-10 * scale:
        return "the same path"
    return f"largest difference {most:.2g}"


def _stored(case: Case) -> dict[str, Any]:
    return {
        "svg": _drawn(case),
        "code": case.code,
        "line": case.judgement.line,
        "first": 0 if not case.rule else 1,
        "rows": list(_rows(case)),
    }


def _rows(case: Case) -> Iterator[list[str]]:
    """The first numbers: without the start of an optimizer, which both have."""
    skip = 1 if case.rule else 0
    for right, wrong in zip(case.right[skip : skip + ROWS], case.wrong[skip:], strict=False):
        yield [f"{right:.8g}", f"{wrong:.8g}"]


def _drawn(case: Case) -> str:
    schedule = not case.rule
    title = f"{case.title}: {case.what} of {'the schedule' if schedule else case.claim}, and of this code"
    curves = [
        Curve("right", list(enumerate(case.right)), 0),
        Curve("this code", list(enumerate(case.wrong)), 1),
    ]
    return str(Drawing(title, curves, y=case.what, stairs=schedule).svg())
