"""The commands of LaTeX that this project writes, by what they are."""

from __future__ import annotations

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "ϕ", "chi": "χ", "psi": "ψ", "omega": "ω", "epsilon": "ϵ",
    "varepsilon": "ε",
    "varphi": "φ", "ell": "ℓ",
}  # fmt: skip
UPRIGHT = {
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
    "nabla": "∇", "infty": "∞", "top": "⊤", "bot": "⊥", "partial": "∂", "dots": "…", "ldots": "…",
    "cdots": "⋯",
    "star": "⋆", "emptyset": "∅", "ast": "∗",
}  # fmt: skip
"""Commands that are one identifier."""
OPERATORS = {
    "cdot": "⋅", "times": "×", "pm": "±", "mp": "∓", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "equiv": "≡", "sim": "∼", "propto": "∝", "in": "∈", "notin": "∉",
    "subset": "⊂", "subseteq": "⊆", "wedge": "∧", "vee": "∨", "neg": "¬", "forall": "∀", "exists": "∃",
    "to": "→",
    "rightarrow": "→", "mapsto": "↦", "Rightarrow": "⇒", "implies": "⇒", "iff": "⇔", "gg": "≫", "ll": "≪",
    "mid": "|", "odot": "⊙", "otimes": "⊗", "circ": "∘", "colon": ":", "lt": "<", "gt": ">", "oplus": "⊕",
    "cup": "∪", "cap": "∩", "setminus": "∖", "prime": "′", "Longrightarrow": "⟹", "Longleftrightarrow": "⟺",
    "longmapsto": "⟼", "longrightarrow": "⟶",
    "{": "{", "}": "}", "%": "%", "&": "&", "#": "#", "_": "_",
}  # fmt: skip
BRACKETS = {
    "(": "(", ")": ")", "[": "[", "]": "]", "|": "|", r"\|": "‖", r"\{": "{", r"\}": "}", ".": "",
    r"\lvert": "|", r"\rvert": "|", r"\lVert": "‖", r"\rVert": "‖", r"\lfloor": "⌊", r"\rfloor": "⌋",
    r"\lceil": "⌈", r"\rceil": "⌉", r"\langle": "⟨", r"\rangle": "⟩", r"\vert": "|",
}  # fmt: skip
OPENING = frozenset((r"\lvert", r"\lVert", r"\lfloor", r"\lceil", r"\langle", r"\{", "(", "["))
BIG = {"sum": "∑", "prod": "∏", "int": "∫"}
FUNCTIONS = frozenset((
    "max", "min", "log", "ln", "exp", "cos", "sin", "tan", "cosh", "sinh", "tanh", "sup", "inf", "lim",
    "det",
    "tr", "arg", "deg", "gcd",
))  # fmt: skip
LIMITS = frozenset(("max", "min", "sup", "inf", "lim", "arg max", "arg min"))
ACCENTS = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "overline": "bar",
    "tilde": "tilde",
    "dot": "dot",
    "ddot": "ddot",
}
SPACES = {
    ",": 0.17, ":": 0.22, ";": 0.28, " ": 0.25, "!": -0.17, "quad": 1.0, "qquad": 2.0, "enspace": 0.5,
    "thinspace": 0.17,
}  # fmt: skip
WORDS = frozenset(("text", "textrm", "mbox", "textit"))
PASSED = frozenset(
    ("bigl", "bigr", "Bigl", "Bigr", "big", "Big", "displaystyle", "textstyle", "limits", "middle")
)
"""Commands that change sizes alone, which browsers choose themselves."""
NEGATED = {"→": "↛", "=": "≠", "∈": "∉", "⇒": "⇏"}
STYLES = {
    "mathrm": "upright",
    "operatorname": "upright",
    "mathbf": "bold",
    "mathbb": "double",
    "mathcal": "script",
}
TABLES = frozenset(("aligned", "cases", "pmatrix", "bmatrix", "matrix", "array", "gathered"))
