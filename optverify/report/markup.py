"""What survives where: mathematics and plain text in GitHub's Markdown and in LaTeX.

GitHub runs Markdown over everything but fences and code spans, so a block of mathematics is a `math` fence
and inline mathematics is a code span between dollars. Neither stands in a heading or in a link.
"""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from optverify.claims import claim
from optverify.formulas import typst

MARKDOWN_SPECIAL = re.compile(r"[\\`\[\]<|$]|(?<!\s)\*|\*(?!\s)|(?<!\w)_|_(?!\w)")
TEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "*": r"\textasteriskcentered{}",
}


def github_tex(tex: str) -> str:
    """The same formula without a bar that would end a table cell: |x| as \\lvert, \\|x\\| as \\lVert."""
    tex = re.sub(r"\\\|(.*?)\\\|", r"\\lVert \1 \\rVert", tex)
    tex = re.sub(r"\|([^|\n]*)\|", r"\\lvert \1 \\rvert", tex)
    return tex.replace("|", r"\mid ")


def inline(tex: str) -> str:
    """Inline mathematics in Markdown; the text around it must leave a space on both sides."""
    return f"$`{github_tex(tex)}`$"


def fence(tex: str) -> str:
    """A block of mathematics in Markdown, to stand at column 0 between blank lines."""
    return f"```math\n{github_tex(tex)}\n```"


def markdown_text(text: object) -> str:
    """Plain text in Markdown: what Markdown would read as markup gets a backslash."""
    return MARKDOWN_SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading: lower case, punctuation dropped, a hyphen for each space."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def claim_address(id: str) -> str:
    """Where a claim stands, from the folder of the report."""
    return f"claims/{claim(id).topic}.md#{slug(id)}"


def topic_heading(topic: str) -> str:
    """The name of a topic as a heading."""
    return topic.replace("_", " ").capitalize()


def quoted(option: object) -> str:
    """An option as it is written in Python."""
    return f'"{option}"' if isinstance(option, str) else str(option)


def tex_text(text: object) -> str:
    """Plain text in LaTeX."""
    return re.sub(r'"([^"]*)"', r"``\1''", tex_escaped(text))


def tex_code(text: object) -> str:
    """Code within a line of LaTeX; it may break after an underscore."""
    return rf"\texttt{{{tex_escaped(text)}}}".replace(r"\_", r"\_\allowbreak{}")


def tex_escaped(text: object) -> str:
    """Text with every character that LaTeX reads as markup spelled out."""
    return "".join(TEX_SPECIAL.get(c, c) for c in " ".join(str(text).split()))


def tex_address(url: str) -> str:
    """An address in LaTeX, as \\href takes it."""
    return re.sub(r"([%#&])", r"\\\1", url)


def typst_string(text: object) -> str:
    """Plain text as a string of Typst's, in which nothing is markup."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("optverify.report", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        # LaTeX is full of braces and percent signs.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.tests["contains"] = lambda names, name: name in names
    environment.filters |= {
        "math": inline,
        "fence": fence,
        "text": markdown_text,
        "slug": slug,
        "claim": claim_address,
        "heading": topic_heading,
        "textext": tex_text,
        "texcode": tex_code,
        "texaddress": tex_address,
        "quoted": quoted,
        "typst": typst,
        "typstring": typst_string,
    }
    return environment


def render(template: str, **values: object) -> str:
    """The page a template makes of these values, without runs of blank lines."""
    page = _environment().get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"
