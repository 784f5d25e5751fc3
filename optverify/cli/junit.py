"""Results of claims as JUnit XML, for continuous integration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from optverify.claims import Result

NOT_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write one testsuite, a testcase a claim; a verdict other than the expected one is a failure."""
    wrong = [r for r in results if not r.ok]
    errors = sum(r.verdict == "error" for r in wrong)
    suite = ET.Element(
        "testsuite",
        name="optverify",
        tests=str(len(results)),
        failures=str(len(wrong) - errors),
        errors=str(errors),
        skipped="0",
        time=f"{sum(r.seconds for r in results):.3f}",
    )
    for r in results:
        topic, _, name = r.claim.id.rpartition(".")
        classname = f"optverify.{topic}" if topic else "optverify"
        case = ET.SubElement(suite, "testcase", classname=classname, name=name, time=f"{r.seconds:.3f}")
        if not r.ok:
            message = f"expected {r.claim.expected}, found {r.verdict}"
            kind = "error" if r.verdict == "error" else "failure"
            ET.SubElement(case, kind, message=message, type=r.verdict).text = NOT_XML.sub("?", str(r.detail))
        ET.SubElement(case, "system-out").text = NOT_XML.sub(
            "?", f"{r.claim.title}\n{r.evidence}: {r.detail}"
        )
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
