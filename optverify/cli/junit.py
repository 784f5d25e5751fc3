"""Results as JUnit XML, for continuous integration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from optverify.claims import Result

NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


@dataclass(frozen=True)
class Case:
    """One testcase. problem: what went wrong, in a line, of this kind and type; text: more about it."""

    group: str
    name: str
    seconds: float = 0.0
    kind: Literal["passed", "failure", "error", "skipped"] = "passed"
    problem: str = ""
    type: str = ""
    text: str = ""
    output: str = ""


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write claims, a testcase a claim; a verdict other than the expected one is a failure."""
    write_cases(path, [_case(r) for r in results])


def _case(r: Result) -> Case:
    topic, _, name = r.claim.id.rpartition(".")
    group = f"optverify.{topic}" if topic else "optverify"
    output = f"{r.claim.title}\n{r.evidence}: {r.detail}"
    if r.ok:
        return Case(group, name, r.seconds, output=output)
    message = f"expected {r.claim.expected}, found {r.verdict}"
    kind: Literal["error", "failure"] = "error" if r.verdict == "error" else "failure"
    return Case(group, name, r.seconds, kind, message, r.verdict, str(r.detail), output)


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write one testsuite of these testcases."""
    counts = {kind: str(sum(c.kind == kind for c in cases)) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name="optverify",
        tests=str(len(cases)),
        failures=counts["failure"],
        errors=counts["error"],
        skipped=counts["skipped"],
        time=f"{sum(c.seconds for c in cases):.3f}",
    )
    for c in cases:
        case = ET.SubElement(suite, "testcase", classname=c.group, name=c.name, time=f"{c.seconds:.3f}")
        if c.kind != "passed":
            found = ET.SubElement(case, c.kind, message=_clean(c.problem), type=c.type or c.kind)
            found.text = _clean(c.text)
        ET.SubElement(case, "system-out").text = _clean(c.output)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _clean(text: str) -> str:
    return NOT_XML.sub("?", text)
