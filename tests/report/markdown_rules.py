"""What GitHub needs of a Markdown page with mathematics; written apart from the code that makes the pages."""

import re
from pathlib import Path

LAYOUT = r"begin end left right frac tfrac sqrt text mathrm quad qquad , ; { } \ hat bar tilde"
RELATIONS = (
    r"le leq ge ne in to mid iff pm times cdot cdots dots ldots Longrightarrow Longleftrightarrow Rightarrow"
)
OPERATORS = r"sum min max inf lim nabla top ast star infty exp log cos sin cosh sign bmod ln wedge geq"
FENCES = r"langle rangle lvert rvert lVert rVert lfloor rfloor lceil rceil"
GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi"
MACROS = frozenset(
    f"{LAYOUT} {RELATIONS} {OPERATORS} {FENCES} {GREEK} varphi chi psi omega Delta Sigma".split()
)
ENVIRONMENTS = frozenset({"aligned", "cases"})
MACRO = re.compile(r"\\([A-Za-z]+|.)")
INLINE = re.compile(r"\$`([^`\n]+)`\$")
LINK = re.compile(r"(!?)\[((?:[^\[\]\\]|\\.)*)\]\(([^()\s]*)\)")


def faults(path: Path) -> list[str]:
    """Everything that GitHub would not render as meant, a sentence each."""
    lines = path.read_text("utf-8").split("\n")
    prose, fences, found = split(lines)
    for start, kind, body in fences:
        found += [f"line {start}: {fault}" for fault in fence_faults(lines, start, kind, body)]
    headings = []
    for number, line in prose:
        found += [f"line {number}: {fault}" for fault in line_faults(line)]
        if line.startswith("#"):
            headings.append(line.lstrip("#").strip())
    found += table_faults(prose)
    anchors = slugs(headings)
    for number, line in prose:
        found += [f"line {number}: {fault}" for fault in link_faults(path, line, anchors)]
    return [f"{path.name}, {fault}" for fault in found]


def split(lines: list[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str, list[str]]], list[str]]:
    """Numbered lines outside fences; fences as (line, language, body); fences that do not close."""
    prose, fences, body, start, kind = [], [], [], 0, ""
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            if not start:
                start, kind, body = number, line[3:], []
                if not line.startswith("```"):
                    kind = "indented"
            else:
                fences.append((start, kind, body))
                start = 0
        elif start:
            body.append(line)
        else:
            prose.append((number, line))
    return prose, fences, [f"line {start}: the fence does not close"] if start else []


def fence_faults(lines: list[str], start: int, kind: str, body: list[str]) -> list[str]:
    found = []
    if kind not in ("math", "python"):
        found.append(f"a fence of kind {kind!r}")
    after = start + len(body) + 1
    if lines[start - 2].strip() or (after < len(lines) and lines[after].strip()):
        found.append("no blank line around the fence")
    if kind == "math":
        found += math_faults("\n".join(body))
        if "$" in "".join(body):
            found.append("a dollar within mathematics")
    return found


def math_faults(tex: str) -> list[str]:
    found = [f"macro \\{m} is not known to survive" for m in MACRO.findall(tex) if m not in MACROS]
    names = re.findall(r"\\begin\{(\w+)\}", tex)
    found += [f"environment {n} is not known to survive" for n in names if n not in ENVIRONMENTS]
    if sorted(names) != sorted(re.findall(r"\\end\{(\w+)\}", tex)):
        found.append("begin and end do not match")
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", tex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            break
    if depth:
        found.append("braces do not match")
    if tex.count(r"\left") - tex.count(r"\leftarrow") != tex.count(r"\right") - tex.count(r"\rightarrow"):
        found.append("left and right do not match")
    return found


def line_faults(line: str) -> list[str]:
    found = []
    for match in INLINE.finditer(line):
        before, after = line[: match.start()][-1:], line[match.end() :][:1]
        if before not in ("", " ") or after not in ("", " "):
            found.append(f"no space around {match.group(0)}")
        if "|" in match.group(1):
            found.append(f"a bar within {match.group(0)}")
        found += math_faults(match.group(1))
    rest = INLINE.sub("", line)
    if "$" in re.sub(r"\\\$", "", re.sub(r"`[^`]*`", "", rest)):
        found.append("a dollar outside mathematics")
    if line.startswith("#") and ("$" in line or "`" in line or "\\" in line):
        found.append("mathematics, code or an escape in a heading")
    if "$" in "".join(text for _, text, _ in LINK.findall(line)):
        found.append("mathematics in a link")
    if re.search(r"<(?!/?(br|sub|sup)\b)[A-Za-z/!]", re.sub(r"`[^`]*`|\\<", "", rest)):
        found.append("raw HTML")
    return found


def table_faults(prose: list[tuple[int, str]]) -> list[str]:
    found, width = [], 0
    for number, line in prose:
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1
        if width and cells != width:
            found.append(f"line {number}: {cells} cells in a table of {width}")
        width = width or cells
    return found


def slugs(headings: list[str]) -> set[str]:
    """The anchors GitHub makes; the second heading of a name gets -1."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in headings:
        text = LINK.sub(lambda m: m.group(2), heading)
        base = "".join(c for c in text.lower() if c.isalnum() or c in "-_ ").replace(" ", "-")
        count = seen.get(base, 0)
        anchors.add(f"{base}-{count}" if count else base)
        seen[base] = count + 1
    return anchors


def link_faults(path: Path, line: str, anchors: set[str]) -> list[str]:
    found = []
    for image, text, target in LINK.findall(INLINE.sub("", line)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        page = path.parent / name if name else path
        if not page.is_file():
            found.append(f"{target} does not exist")
        elif anchor and anchor not in (anchors if not name else page_anchors(page)):
            found.append(f"no heading for {target}")
        if image and not text:
            found.append(f"no description of {target}")
    return found


def page_anchors(page: Path) -> set[str]:
    prose, _, _ = split(page.read_text("utf-8").split("\n"))
    return slugs([line.lstrip("#").strip() for _, line in prose if line.startswith("#")])
