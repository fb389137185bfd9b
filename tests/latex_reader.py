"""Reads the report's formulas back and gives them values, so that what is printed is held against what was meant."""

import itertools
import math
import re

TOKEN = re.compile(r"\\(?:text|mathrm)\{[^}]*\}|\\sigma\^2|\\[a-zA-Z]+|\d+(?:\.\d+)?|[a-zA-Z]|[{}^_(),+\-=/]")
FUNCTIONS = {
    r"\exp": math.exp,
    r"\log": math.log,
    r"\tanh": math.tanh,
    r"\mathrm{step}": lambda x: float(x > 0),
    r"\mathrm{sign}": lambda x: float((x > 0) - (x < 0)),
    r"\mathrm{erf}": math.erf,
    r"\max": max,
    r"\min": min,
}
ACCENTS = (r"\hat", r"\tilde", r"\bar", r"\dot", r"\overline", r"\widetilde")
ENDS = {None, "+", "-", ",", "}", r"\right", "="}


class Reader:
    """A recursive descent: each part becomes a function of the values that indices have.

    `values` gives a number for a symbol and its places; every index has the same number of values.
    """

    def __init__(self, latex, values, count):
        self.tokens, self.at, self.values, self.count = TOKEN.findall(latex), 0, values, count

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.peek()
        assert expected in (None, token), (expected, self.tokens[self.at :])
        self.at += 1
        return token

    def braced(self, read):
        self.take("{")
        found = read()
        self.take("}")
        return found

    def sum(self):
        terms, sign = [], 1
        if self.peek() == "-":
            self.take()
            sign = -1
        while True:
            terms.append((sign, self.product()))
            if self.peek() not in ("+", "-"):
                return lambda env: sum(s * t(env) for s, t in terms)
            sign = 1 if self.take() == "+" else -1

    def product(self):
        factors = []
        while self.peek() not in ENDS:
            if self.peek() == r"\cdot":
                self.take()
            factors.append(self.power())
        assert factors
        return lambda env: math.prod(f(env) for f in factors)

    def power(self):
        base = self.primary()
        if self.peek() != "^":
            return base
        self.take()
        exponent = self.braced(self.ratio)
        return lambda env: base(env) ** exponent

    def ratio(self):
        top = int(self.take())
        if self.peek() != "/":
            return top
        self.take()
        return top / int(self.take())

    def primary(self):
        token = self.peek()
        if token[0].isdigit() or token == r"\pi":
            number = math.pi if token == r"\pi" else float(token)
            self.take()
            return lambda env: number
        if token == r"\frac":
            return self.fraction()
        if token == r"\sqrt":
            self.take()
            inside = self.braced(self.sum)
            return lambda env: math.sqrt(inside(env))
        if token == r"\left":
            return self.bracketed()
        if token in (r"\sum", r"\max") and self.tokens[self.at + 1] == "_":
            return self.over(sum if token == r"\sum" else max)
        if token in FUNCTIONS:
            function, exponent = FUNCTIONS[self.take()], 1
            if self.peek() == "^":
                self.take()
                exponent = self.braced(self.ratio)
            arguments = self.arguments()
            return lambda env: function(*(a(env) for a in arguments)) ** exponent
        return self.symbol()

    def fraction(self):
        self.take()
        if self.tokens[self.at + 2] == r"\ell":
            self.at += 1
            kind = self.take()
            self.take(r"\ell")
            self.take("}")
            self.take("{")
            self.take(kind)
            found = self.symbol(kind)
            self.take("}")
            return found
        top, bottom = self.braced(self.sum), self.braced(self.sum)
        return lambda env: top(env) / bottom(env)

    def bracketed(self):
        self.take()
        absolute = self.take() == r"\lvert"
        inside = self.sum()
        self.take(r"\right")
        self.take(r"\rvert" if absolute else ")")
        return (lambda env: abs(inside(env))) if absolute else inside

    def arguments(self):
        self.take(r"\left")
        self.take("(")
        found = [self.sum()]
        while self.peek() == ",":
            self.take()
            found.append(self.sum())
        self.take(r"\right")
        self.take(")")
        return found

    def over(self, combine):
        self.take()
        self.take("_")
        letter = self.braced(self.until_brace)[0]
        if self.peek() == "^":
            self.take()
            size = self.braced(self.sum)
            assert size({}) == self.count
        body = self.product()

        def value(env):
            assert letter not in env, f"{letter} is free and summed at once"
            return combine(body({**env, letter: n}) for n in range(self.count))

        return value

    def symbol(self, kind=""):
        base = self.take()
        if base in ACCENTS:
            base += "{" + "".join(self.braced(self.until_brace)) + "}"
        below = []
        if self.peek() == "_":
            self.take()
            below = self.braced(self.until_brace) if self.peek() == "{" else [self.take()]
        parts = " ".join(below).split(" , ")

        def value(env):
            places = tuple(env[p] for p in parts if p in env)
            note = "".join(p.replace(" ", "") for p in parts if p not in env)
            return self.values[kind + base + note, places]

        return value

    def until_brace(self):
        found, depth = [], 0
        while depth or self.peek() != "}":
            depth += {"{": 1, "}": -1}.get(self.peek(), 0)
            found.append(self.take())
        return found


def read(latex, values, count):
    """The value of a formula, as a function of the values that the free indices have."""
    reader = Reader(latex, values, count)
    found = reader.sum()
    assert reader.peek() is None, reader.tokens[reader.at :]
    return found


def everywhere(letters, count):
    """Every way to give values to indices."""
    return (dict(zip(letters, places, strict=True)) for places in itertools.product(range(count), repeat=len(letters)))
