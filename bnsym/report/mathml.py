"""Formulas as MathML, which browsers set without a script, from the LaTeX that `latex` writes, and no other."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\\(?:text|mathrm)\{[^{}]*\}|\\[a-zA-Z]+|\d+(?:\.\d+)?|[a-zA-Z]|'+|[{}^_()\[\]+\-=/,]")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "pi": "π", "ell": "ℓ",
}  # fmt: skip
ACCENTS = {"hat": "^", "tilde": "~", "widetilde": "~", "bar": "¯", "overline": "¯", "dot": "˙"}
FUNCTIONS = ("exp", "log", "tanh")
SIGNS = {r"\cdot": "·", r"\to": "→", r"\partial": "∂", "-": "−", "'": "′", "''": "″", "'''": "‴"}
FENCES = {r"\lvert": "|", r"\rvert": "|"}
TALL = ("<mfrac", "<msqrt", "<munder")
"""What brackets grow with: where they need not, some fonts give them room that is not wanted."""
LEADING = ("=", ",", "{", r"\cdot", r"\lvert")
"""After these, and after a bracket that opens, a minus sign belongs to what follows."""
BIG = {r"\sum": "∑", r"\max": "max", r"\min": "min"}

COMBINING = dict(zip(ACCENTS, "\u0302\u0303\u0303\u0304\u0304\u0307", strict=True))
"""Accents that a plain letter takes."""


class FormulaError(ValueError):
    """A formula holds what this reader does not know."""


def mathml(latex: str, *, display: bool = False) -> str:
    """A formula; `display` where it stands on a line of its own. FormulaError for LaTeX that `latex` does not write."""
    kind = ' display="block"' if display else ""
    return f"<math{kind}>{_Reader(latex).whole()}</math>"


def signs(symbol: str) -> str:
    """A symbol in plain letters, for where no formula can stand: `x\u0302`, `\u03c3\u00b2`."""
    text = re.sub(r"\\(?:text|mathrm)\{([^{}]*)\}", r"\1", symbol)
    text = re.sub(r"\\([a-z]+)", lambda m: GREEK.get(m[1], m[0]), text)
    text = re.sub(r"\\([a-z]+)\{(\w)\}", lambda m: m[2] + COMBINING.get(m[1], ""), text)
    return re.sub(r"[\\{}]", "", text.replace("^2", "\u00b2").replace("^{2}", "\u00b2"))


class _Reader:
    """A recursive descent over the tokens of one formula."""

    def __init__(self, latex: str):
        self._latex, self._tokens, self._at = latex, TOKEN.findall(latex), 0
        if rest := TOKEN.sub("", latex).strip():
            raise FormulaError(f"{rest} has no MathML here, in a formula: {latex}")

    def whole(self) -> str:
        """All of it."""
        found = self._row(())
        if self._at < len(self._tokens):
            raise FormulaError(f"{self._tokens[self._at]} stands alone in a formula: {self._latex}")
        return found

    def _row(self, ends: tuple[str, ...]) -> str:
        parts = []
        while self._at < len(self._tokens) and self._tokens[self._at] not in (*ends, "}", r"\right"):
            parts.append(self._scripted())
        return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def _scripted(self) -> str:
        token = self._tokens[self._at]
        base, scripts = self._atom(), {}
        while self._at < len(self._tokens) and self._tokens[self._at] in ("_", "^"):
            mark = self._taken()
            scripts[mark] = self._atom()
        applied = "<mo>&#8289;</mo>" if token.removeprefix("\\") in FUNCTIONS else ""
        return _with_scripts(base, scripts.get("_", ""), scripts.get("^", ""), token in BIG) + applied

    def _atom(self) -> str:
        token = self._taken()
        name = token.removeprefix("\\")
        if token == "{":
            return self._closed(self._row(()), "}")
        if token == r"\left":
            return self._fenced()
        if token == r"\frac":
            return f"<mfrac>{self._atom()}{self._atom()}</mfrac>"
        if token == r"\sqrt":
            return f"<msqrt>{self._atom()}</msqrt>"
        if token.startswith("\\") and name in ACCENTS:
            return self._accented(ACCENTS[name])
        return self._leaf(token, name)

    def _accented(self, sign: str) -> str:
        """Over more than one letter: a bar is drawn by the page's style, as few fonts have one that is long enough."""
        bar = ' class="bar"' if sign == ACCENTS["bar"] else ""
        return f'<mover accent="true"{bar}>{self._atom()}<mo stretchy="true">{sign}</mo></mover>'

    def _leaf(self, token: str, name: str) -> str:
        if token.startswith((r"\text{", r"\mathrm{")):
            word = token[token.index("{") + 1 : -1]
            upright = ' mathvariant="normal"' if len(word) == 1 else ""
            return f"<mtext>{word}</mtext>" if token.startswith(r"\text") else f"<mi{upright}>{word}</mi>"
        if token in BIG:
            return f"<mo>{BIG[token]}</mo>"
        if token.startswith("\\") and name in FUNCTIONS:
            return f"<mi>{name}</mi>"
        if token.startswith("\\") and name in GREEK:
            return f"<mi>{GREEK[name]}</mi>"
        if token in SIGNS:
            prefix = ' form="prefix"' if token == "-" and self._leads() else ""
            return f"<mo{prefix}>{SIGNS[token]}</mo>"
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        if token in "+=/,()[]":
            return f"<mo>{token}</mo>"
        raise FormulaError(f"{token} has no MathML here, in a formula: {self._latex}")

    def _leads(self) -> bool:
        """Whether nothing stands before the sign just taken that it could be subtracted from."""
        before = self._tokens[self._at - 2] if self._at > 1 else "="
        return before in LEADING or (before in "([" and self._at > 2 and self._tokens[self._at - 3] == r"\left")

    def _fenced(self) -> str:
        left = self._taken()
        inside = self._row(())
        self._closed("", r"\right")
        right = self._taken()
        left, right = FENCES.get(left, left), FENCES.get(right, right)
        low = "" if any(tag in inside for tag in TALL) else ' stretchy="false"'
        opening, closing = (f'<mo fence="true" form="{form}"{low}>' for form in ("prefix", "postfix"))
        return f"<mrow>{opening}{left}</mo>{inside}{closing}{right}</mo></mrow>"

    def _closed(self, found: str, end: str) -> str:
        if self._at >= len(self._tokens) or self._taken() != end:
            raise FormulaError(f"{end} is missing in a formula: {self._latex}")
        return found

    def _taken(self) -> str:
        if self._at == len(self._tokens):
            raise FormulaError(f"a formula ends too soon: {self._latex}")
        self._at += 1
        return self._tokens[self._at - 1]


def _with_scripts(base: str, below: str, above: str, big: bool) -> str:
    if below and above:
        tag = "munderover" if big else "msubsup"
    elif below or above:
        tag = ("munder" if below else "mover") if big else ("msub" if below else "msup")
    else:
        return base
    return f"<{tag}>{base}{below}{above}</{tag}>"
