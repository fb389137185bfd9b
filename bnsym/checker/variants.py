"""Wrong versions of one term, that no factor describes: a sum over other axes, another array in the place of x_hat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import sympy

from bnsym.calculus.elements import Array
from bnsym.checker.edits import ONE, equation_of, others, over, retyped, sums_of, wrong_axes
from bnsym.checker.factors import Named
from bnsym.checker.spoken import sum_text, term_text
from bnsym.checker.trial import CLEARLY, Closeness, Trial, in_a_row, nearest
from bnsym.checker.written import Written
from bnsym.lowering.sequence import ordered
from bnsym.model import Equation, Program, Quantity, Term, quantities

MOST = 200_000
"""Ways to put a gradient together from versions of its terms that are looked through."""


@dataclass(frozen=True)
class Version:
    """A wrong version of a term or of a sum: what is wrong with it, and its equation, after those that it needs."""

    words: str
    left: Quantity
    equations: tuple[Equation, ...]


def stand_ins(w: Written, q: Quantity) -> Iterator[tuple[str, sympy.Expr]]:
    """What is written in the place of an array such as x_hat, with words on each."""
    equation = w.program.equation(q)
    if q in w.chain.seeds:
        yield f"lacks {q}", ONE
    if equation is None or not w.is_element(q):
        return
    right = equation.right
    yield f"lacks {q}", ONE
    if q.role == "value":
        powers = [e.left for e in w.inverses if right.has(e.left)]
        means = [m for m in quantities(right) if m.role == "statistic" and m not in powers]
        if w.data in right.free_symbols:
            yield f"uses {w.data} where {q} is meant", w.data
        if powers:
            bare = right / sympy.Mul(*powers)
            if bare != w.data:
                centred = " - ".join(map(str, (w.data, *means)))
                yield f"uses {centred} where {q} is meant", bare
                yield f"lacks {centred}", sympy.Mul(*powers)
        if means:
            yield f"uses {q} without the mean subtracted", right.xreplace(dict.fromkeys(means, sympy.Integer(0)))
    for p in (p for p in quantities(right) if p.role == "parameter" and q.role == "gradient"):
        yield f"lacks {p}", right.xreplace({p: sympy.Integer(1)})


def sum_versions(w: Written, q: Quantity) -> Iterator[Version]:
    """A gradient to a parameter, or a sum, with another array in it."""
    e = equation_of(w.program, q)
    inner = next((i for i in e.inputs if i in [s.left for s in w.program.equations] and not w.is_element(i)), None)
    target = equation_of(w.program, inner) if inner is not None else e
    for v in target.inputs:
        for n, (words, body) in enumerate(stand_ins(w, v)):
            changed = target.replace({v: body})
            other = Quantity(f"{target.left}_{v}_{n}", target.left.axes, target.left.role)
            left = Quantity(f"{q}_{v}_{n}_whole", q.axes, q.role)
            first = () if inner is None else (Equation(other, changed.terms),)
            last = Equation(left, changed.terms if inner is None else e.replace({inner: other}).terms)
            yield Version(words, left, (*first, last))


def versions(w: Written, term: Quantity) -> list[Version]:
    """Every wrong version of a term."""
    return [*_missing(w, term), *_with_others(w, term), *_over_others(w, term)]


def _missing(w: Written, term: Quantity) -> Iterator[Version]:
    text, body = term_text(w, term), w.of(w.program, term)
    yield _version("", "right", term, body)
    yield _version(f"the term {text} is missing", "missing", term, sympy.Integer(0))
    yield _version(f"the term {text} has the wrong sign", "sign", term, -body)


def _with_others(w: Written, term: Quantity) -> Iterator[Version]:
    """Another array inside the sum, outside it, or both."""
    text, body = f"the term {term_text(w, term)}", w.of(w.program, term)
    sums = sums_of(w, term)
    arrays = {v for e in (equation_of(w.program, s) for s in sums) for v in e.inputs} | set(quantities(body))
    for v in sorted(arrays, key=str):
        for n, (words, other) in enumerate(stand_ins(w, v)):
            if body.has(v):
                yield _version(f"{text} {words}", f"out{v}{n}", term, body.xreplace({v: other}))
            for s in sums:
                e = equation_of(w.program, s)
                if v not in e.inputs:
                    continue
                inner = Quantity(f"{term}_{s}_{v}_{n}", s.axes, s.role)
                changed = Equation(inner, e.replace({v: other}).terms)
                inside = f"{text} {words}{', in its sum' * body.has(v)}"
                yield _version(inside, f"in{v}{n}{s}", term, body.xreplace({s: inner}), changed)
                if body.has(v):
                    both = f"{text} {words}, in its sum and outside"
                    yield _version(both, f"both{v}{n}{s}", term, body.xreplace({s: inner, v: other}), changed)


def _over_others(w: Written, term: Quantity) -> Iterator[Version]:
    """A sum over other axes, with parameters and inv_std inside or outside it, averaged over its own number or not."""
    body = w.of(w.program, term)
    parameters = sympy.Mul(*(q for q in quantities(body) if q.role == "parameter"))
    inverse = sympy.Mul(*(e.left for e in w.inverses if body.has(e.left)))
    short = len(w.data.axes) == 2
    for s in sums_of(w, term):
        e = equation_of(w.program, s)
        for axes in others(w, e.terms[0].axes):
            words = f"{sum_text(w, s, mean=True)} is taken over {wrong_axes(w, axes)}"
            for n, (p, r, own) in enumerate(product((0, 1), (0, 1, -1) if short else (0,), (True, False))):
                carried = parameters**p * inverse**r
                inner = Quantity(f"{term}_{s}_{'_'.join(a.name for a in axes)}_{n}", s.axes, s.role)
                moved = Equation(inner, over(e, axes, carried, own=own).terms)
                yield _version(words, f"{s}{axes}{n}", term, (body / carried).xreplace({s: inner}), moved)


def _version(words: str, tag: str, term: Quantity, body: sympy.Expr, *before: Equation) -> Version:
    left = Quantity(f"{term}_{tag}", term.axes, "value")
    return Version(words, left, (*before, Equation(left, (Term(body),))))


def evaluated(trial: Trial, made: Sequence[Version]) -> list[dict[Quantity, Array]]:
    """All versions on every probe, at once."""
    w = trial.w
    equations = [*w.program.equations, *(e for v in made for e in v.equations)]
    outputs = tuple(v.left for v in made)
    return trial.evaluated(
        retyped(Program(w.program.inputs, tuple(ordered(equations, set(w.program.inputs))), outputs))
    )


def put_together(trial: Trial, dx: Quantity) -> Named | None:
    """The fewest wrong terms that make up the user's gradient, each in a version that has a name."""
    found, terms = trial.found[dx], trial.w.terms.get(dx, ())
    made = [versions(trial.w, t) for t in terms]
    if found is None or not terms or np.prod([len(m) for m in made], dtype=float) > MOST * len(made[-1]):
        return None
    values = evaluated(trial, [v for m in made for v in m])
    scales = [np.abs(f).max() or 1.0 for f in found]
    pooled = [np.array([in_a_row([v[m.left] for v in values], scales) for m in own]) for own in made]
    matches: list[tuple[float, tuple[str, ...], Array]] = []
    target = in_a_row(found, scales)
    for choice in product(*(range(len(m)) for m in made[:-1])):
        start = sum(pooled[n][k] for n, k in enumerate(choice))
        far = np.abs(pooled[-1] + start - target).max(axis=1)
        for k in np.flatnonzero(far <= trial.close[dx].named):
            words = [made[n][j].words for n, j in enumerate((*choice, int(k)))]
            matches.append((far[k], tuple(dict.fromkeys(s for s in words if s)), pooled[-1][k] + start))
    return _simplest(matches, trial.close[dx])


def _simplest(matches: list[tuple[float, tuple[str, ...], Array]], close: Closeness) -> Named | None:
    """The one with the fewest sentences of those that are as near as any; none where numbers cannot tell which."""
    near = [m for m in matches if m[0] <= CLEARLY * max(close.noise, min(far for far, *_ in matches))]
    fewest = sorted(near, key=lambda m: len(m[1]))
    fewest = [m for m in fewest if len(m[1]) == len(fewest[0][1])]
    found = nearest(np.array([m[0] for m in fewest]), np.array([m[2] for m in fewest]), close)
    return None if found is None else Named(fewest[found][1], len(fewest[found][1]))
