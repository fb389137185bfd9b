"""The value of a normal form on arrays, by an evaluator that shares nothing with the engine."""

from itertools import product

from bnsym.calculus.monomials import DELTA, bound_labels

I0, I1, C0 = ("i", 0), ("i", -1), ("c", 0)


def value(form, arrays, sizes, place):
    """A form at one place, by plain loops: independent of everything the engine does with forms."""
    total = 0.0
    for monomial, coefficient in form.items():
        bound = sorted(bound_labels(monomial))
        for position in product(*(range(sizes[axis]) for axis, _ in bound)):
            at = {**place, **dict(zip(bound, position, strict=True))}
            term = float(coefficient)
            for (name, labels), exponent in monomial:
                term *= element(name, [at[b] for b in labels], arrays, sizes) ** float(exponent)
            total += term
    return total


def element(name, at, arrays, sizes):
    if name == DELTA:
        return float(at[0] == at[1])
    return float(sizes[name[1:]]) if name.startswith("#") else arrays[name][tuple(at)]
