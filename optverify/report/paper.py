"""The report on paper: a PDF of rules, schedules, problems, claims and figures, without a TeX installation.

The extra `pdf` brings Typst, which compiles without a network; where it is missing and LaTeX is there, LaTeX
makes a PDF of the equations alone. The same report gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import optverify
from optverify.files import replacing
from optverify.ledger import cores, verify
from optverify.problems import names as problem_names
from optverify.problems import problem
from optverify.report.ledger import is_textbook
from optverify.report.markup import render
from optverify.report.reference import problem_page, rule_page, schedule_page
from optverify.report.web.gallery import CAPTIONS
from optverify.rules import registry as rules
from optverify.schedules import registry as schedules

Engine = Literal["auto", "typst", "latex"]
NAME = "optverify.pdf"
SECONDS = 120
"""For LaTeX, which is run three times."""
MISSING = (
    'no PDF engine was found (looked for: typst, pdflatex): pip install "optverify[pdf]" brings typst, which '
    "needs no TeX; equations.tex can be compiled anywhere"
)


def write_pdf(folder: Path, files: Mapping[str, str], engine: Engine = "auto") -> Path:
    """Write the PDF into a folder; files: of the report, by name.

    Raises ModuleNotFoundError where the engine is missing, RuntimeError with its first complaint where it
    fails; then nothing is written.
    """
    made = _by_typst(files) if engine == "typst" or (engine == "auto" and _has_typst()) else _by_latex(files)
    path = folder / NAME
    with replacing(path) as fresh:
        Path(fresh).write_bytes(made)
    return path


def source(figures: Mapping[str, str]) -> str:
    """The text that Typst compiles. figures: name -> caption."""
    results = [r for r in verify(jobs=cores()) if is_textbook(r)]
    return render(
        "paper.typ.j2",
        version=optverify.__version__,
        rules=[rule_page(rules.get(name)) for name in rules.names()],
        schedules=[schedule_page(schedules.get(name)) for name in schedules.names()],
        problems=[problem_page(problem(name)) for name in problem_names()],
        results=results,
        figures=figures,
    )


def _has_typst() -> bool:
    try:
        import typst  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def _by_typst(files: Mapping[str, str]) -> bytes:
    if not _has_typst():
        raise ModuleNotFoundError('typst is not installed: pip install "optverify[pdf]"', name="typst")
    import typst

    with TemporaryDirectory() as place:
        root = Path(place)
        (root / "figures").mkdir()
        for name in CAPTIONS:
            (root / "figures" / f"{name}.svg").write_text(files[f"figures/{name}.svg"], "utf-8")
        text = root / "optverify.typ"
        said = {name: f"{title}. {caption}" for name, (title, caption) in CAPTIONS.items()}
        text.write_text(source(said), "utf-8")
        try:
            return bytes(typst.compile(str(text), root=str(root)))
        except typst.TypstError as error:
            raise RuntimeError(f"typst cannot compile the report: {error}") from error


def _by_latex(files: Mapping[str, str]) -> bytes:
    if (engine := shutil.which("pdflatex")) is None:
        raise ModuleNotFoundError(MISSING, name="typst")
    options = ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape")
    fixed = {**os.environ, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    with TemporaryDirectory() as place:
        root = Path(place)
        (root / "equations.tex").write_text(files["equations.tex"], "utf-8")
        for _ in range(3):
            ran = subprocess.run(
                [engine, *options, "equations.tex"], cwd=root, env=fixed, capture_output=True, text=True,
                errors="replace", timeout=SECONDS, check=False,
            )  # fmt: skip
            if ran.returncode:
                first = next((x for x in ran.stdout.splitlines() if x.startswith("./")), "no message")
                raise RuntimeError(f"pdflatex cannot compile equations.tex: {first}")
        return (root / "equations.pdf").read_bytes()
