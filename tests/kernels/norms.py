"""What a norm is, read off its definition and what was derived of it: its statistics, and what is saved of them.

A norm is a definition with statistics.
"""

from functools import cache

import sympy

import bnsym
from bnsym.calculus.homogeneity import degrees
from bnsym.definitions import NAMES
from bnsym.lowering.lower import lower

from .subjects import definition


@cache
def derivation(name):
    return bnsym.derive(definition(name))


def program(name, function):
    if function == "forward":
        return definition(name).program
    found = getattr(derivation(name), function)
    return getattr(found, "program", found)


@cache
def statistics(name):
    """The statistics in order."""
    return tuple(e.left for e in definition(name).program.equations if e.left.role == "statistic")


@cache
def powers(name):
    """The power of the data that each statistic grows with: 1 for a mean, 2 for a variance."""
    found = degrees(definition(name).program) or {}
    return {s: int(found.get(s, 2)) for s in statistics(name)}


@cache
def inverses(name):
    """What forward saves beside the definition's own quantities, each in their terms: 1 / sqrt(var + eps)."""
    forward, own = lower(derivation(name))["forward"], {e.left for e in definition(name).program.equations}
    made = {o.left: o.equation.right for o in forward.operations}
    return {q: made[q] for q in forward.gives_saved if q not in own}


@cache
def divisors(name):
    """The statistics that x_hat is divided by a function of; to the others the data are centred."""
    return tuple(s for s in statistics(name) if any(e.has(s) for e in inverses(name).values()))


@cache
def centres(name):
    """The statistics that are subtracted, such as a mean."""
    return tuple(s for s in statistics(name) if s not in divisors(name))


@cache
def sees_through_the_mean(name):
    """Whether forward takes a value of the data for the mean until it knows it, as is done where there is a variance.

    Without that it subtracts a mean that was rounded.
    """
    return bool(lower(derivation(name))["forward"].pivots) or not centres(name)


def compiled(name, expression):
    """An expression in statistics and constants as a function of them, in the precision of the arrays it is given."""
    constants = [q for q in definition(name).program.inputs if q.role == "constant"]
    function = sympy.lambdify([*statistics(name), *constants], expression, "numpy")
    return lambda given, eps: function(*(given[s.name] for s in statistics(name)), *(eps for _ in constants))


@cache
def as_its_inverse(name, s):
    """How far a statistic moves where what is saved of it moves by all that it is: 2 (var + eps) of 1 / sqrt(...)."""
    inverse = next(e for e in inverses(name).values() if e.has(s))
    return compiled(name, sympy.Abs(inverse / sympy.diff(inverse, s)))


NORMS = tuple(name for name in NAMES if statistics(name))


@cache
def normalized(name):
    """The inputs that the statistics are taken of: x, and a residual that is added before."""
    found = definition(name).program.needed(statistics(name)).inputs
    return tuple(q.name for q in found if q.role == "data")


@cache
def feels_the_mean(name):
    """Whether a derivative must change with the mean it is given, were all of x_hat off by the same.

    So it is where a nonlinear function follows (it is differentiated at z, which comes from the saved mean), and where
    a parameter varies under the statistic (its gradient is a sum over some of the positions alone).
    """
    follows = bool(definition(name).parts) and normalized(name) == ("x",)
    keep = set(statistics(name)[-1].axes)
    return follows or any(set(q.axes) - keep for q in definition(name).program.inputs if q.role == "parameter")
