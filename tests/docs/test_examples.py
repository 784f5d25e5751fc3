"""Every example of the documentation is run, and gives the output that stands under it.

A `python` block runs after those before it on its page; one whose first line names a file is that file.
Commands of an `sh` block run as long as they are `optverify`. A `text` block is what the block above it
prints, where `...` stands for anything. What cannot run here says why in a comment above it,
`<!-- not run: why -->`, and is listed by the test.
"""

import contextlib
import io
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from optverify.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^\n]*?) -->\n+)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
FILE = re.compile(r"# (\w+\.py)\n")
SLOW = ("verify", "report", "train", "bench", "sweep", "watch", "matrix")
"""Commands whose own tests run them."""


@dataclass(frozen=True)
class Block:
    kind: str
    text: str
    why: str
    line: int


def blocks(page):
    text = page.read_text("utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text"))
        yield Block(found["kind"], found["text"], found["why"] or "", line + 1)


def as_shown(printed, shown):
    """The output is what stands there; `...` is any text."""
    pattern = re.escape(shown.strip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL)


def python(block, page, names):
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()


def shell(block):
    """What the commands print; from one of another program on they are left to the reader."""
    printed, ours = "", True
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        ours = ours and words[:1] in ([], ["optverify"])
        if words and (not ours or words[1] in SLOW):
            print(f"not run: {line}")
        elif words:
            outcome = CliRunner().invoke(main, words[1:])
            assert outcome.exit_code in (0, 1), f"{line}: {outcome.output}"
            printed += outcome.output
    return printed


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    names, printed, run = {"__name__": "example"}, "", 0
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}, line {block.line}"
        if block.why:
            print(f"not run: {where}: {block.why}")
            printed = None
        elif block.kind == "python" and (named := FILE.match(block.text)):
            (tmp_path / named[1]).write_text(block.text, "utf-8")
        elif block.kind == "python":
            printed, run = python(block, page, names), run + 1
        elif block.kind == "sh":
            printed, run = shell(block), run + 1
        elif block.kind == "text":
            assert printed is not None
            assert as_shown(printed, block.text), f"{where}: printed\n{printed}"
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
    assert run


def test_links_lead_somewhere():
    """Relative links of the documentation name files that are there."""
    for page in (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "docs" / "api.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not link.startswith(("http", "mailto")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
