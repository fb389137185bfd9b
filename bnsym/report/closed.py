"""What the generated backward computes: names, sums, and gradients written with them."""

from __future__ import annotations

import sympy

from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.lowering.lower import textbook_backward
from bnsym.model import Axis, Equation, Quantity, Reduction, Term
from bnsym.report.blocks import Block, Code, Math, Section, Sentence, Table, Text, enumerated, paragraph, sentence
from bnsym.report.writer import Writer


def closed_form(w: Writer) -> Section:
    """The lowered backward, its per-channel arithmetic put back in, and then with every sum written out."""
    kernel = w.kernels["backward"]
    helpers = {o.left: o.equation.right for o in kernel.operations if _is_helper(o)}
    shown = [Operation(o.kind, put_in(o.equation, helpers)) for o in kernel.operations if o.left not in helpers]
    sums = [o for o in shown if any(t.axes for t in o.equation.terms)]
    results = [o.equation for o in shown if o not in sums and o.left in kernel.outputs]
    names = [o.equation for o in shown if o not in sums and o.left not in kernel.outputs]
    inner = _inner(w, kernel)
    blocks: list[Block] = [paragraph(_opening(w, kernel, inner)), *_names(w, kernel, names), *_sums(w, sums)]
    if results:
        also = "With these, the gradient" if names or sums else "The gradient"
        verb = " is" if len(results) == 1 else " are, in turn,"
        blocks.append(paragraph(f"{also} to ", w.symbols(_of(w, e.left) for e in results), verb))
    blocks += [w.formula(e) for e in results]
    blocks += [] if inner else _written_out(w, kernel)
    blocks += _helpers(w, helpers)
    return Section(sentence("What ", Code("backward"), " computes"), tuple(blocks))


def _of(w: Writer, gradient: Quantity) -> Quantity:
    """What a gradient is the gradient to."""
    return next(q for q, g in w.derivation.backward.gradients.items() if g == gradient)


def _is_helper(o: Operation) -> bool:
    """Arithmetic without sums that lowering gave a name of its own."""
    return o.left.role == "sum" and not any(t.axes for t in o.equation.terms)


def put_in(e: Equation, known: dict[Quantity, sympy.Expr]) -> Equation:
    """An equation with names replaced by what they stand for, and those in it by what these stand for."""
    while known.keys() & set(e.inputs):
        e = Equation(e.left, tuple(Term(t.body.xreplace(known), t.axes, t.largest) for t in e.terms))
    return e


def _inner(w: Writer, kernel: Kernel) -> bool:
    """Whether the kernel computes gradients of intermediate quantities: then it is the chain rule's own program."""
    gradients = set(w.derivation.backward.gradients.values()) - set(kernel.outputs)
    return any(o.left in gradients for o in kernel.operations)


def _opening(w: Writer, kernel: Kernel, inner: bool) -> Sentence:
    """Whether gradients of intermediates are left, and what is taken over from the forward pass."""
    if inner:
        form = sentence("The steps above are computed one after the other")
    else:
        form = sentence("The steps above put together: no gradient of an intermediate quantity is left")
    taken = [q for _, q in kernel.takes_saved]
    saved = sentence(". From the forward pass it takes ", enumerated(w.symbol(q) for q in taken)) if taken else ()
    granted = sentence(". It takes ", w.premises, " for granted") if w.premises and not inner else ()
    return sentence(form, saved, granted, ".")


def _names(w: Writer, kernel: Kernel, names: list[Equation]) -> list[Block]:
    """The substitutions that the closed form rests on: x_hat and inv_std have names."""
    forward = {o.left: o.equation for o in w.kernels["forward"].operations}
    stated = {e.left for e in w.derivation.forward.equations}
    saved = [forward[q] for _, q in kernel.takes_saved if q in forward and q not in stated]
    if not saved and not names:
        return []
    return [paragraph("It is written with"), *(w.formula(e) for e in (*saved, *names))]


def _sums(w: Writer, sums: list[Operation]) -> list[Block]:
    """The sums over the data, each after a word on what it runs over."""
    blocks: list[Block] = []
    groups: dict[tuple[tuple[Axis, ...], tuple[Axis, ...], bool], list[Operation]] = {}
    for o in sums:
        over = tuple(dict.fromkeys(a for t in o.equation.terms for a in t.axes))
        groups.setdefault((over, o.left.axes, o.kind == Kind.CONTRACT), []).append(o)
    for (over, each, product), found in groups.items():
        one = "This sum over " if len(found) == 1 else "These sums over "
        once = " is taken once" if len(found) == 1 else " are taken once"
        kept = sentence(" for each ", w.indices(each)) if each else ()
        matrix = (
            Text(", as a matrix product:" if len(found) == 1 else ", as matrix products:") if product else Text(":")
        )
        blocks += [paragraph(one, w.indices(over), once, kept, matrix), *(w.formula(o.equation) for o in found)]
    return blocks


def _written_out(w: Writer, printed: Kernel) -> list[Block]:
    """Gradients that use sums, once more without any name for them, as a textbook has them."""
    kernel = textbook_backward(w.derivation)
    recentred = {o.left for o in printed.operations} - {o.left for o in kernel.operations}
    why = "; a factor that sums to 0 lets the code centre the other one first" if recentred else ""
    helpers = {o.left: o.equation.right for o in kernel.operations if _is_helper(o)}
    results = [put_in(o.equation, helpers) for o in kernel.operations if o.left in kernel.outputs and not _is_sum(o)]
    stated = {e.left for e in w.derivation.forward.equations}
    saved = {q for _, q in kernel.takes_saved} - stated
    named = {o.left: o.equation.right for o in kernel.operations if _is_sum(o) or _is_helper(o)}
    named |= {o.left: o.equation.right for o in w.kernels["forward"].operations if o.left in saved}
    blocks: list[Block] = []
    for e in results:
        if {o.left for o in kernel.operations if _is_sum(o)} & set(e.inputs):
            whole = put_in(e, named)
            blocks += [paragraph("With every sum written out", *_renamed(w, whole), why, ":"), w.formula(whole)]
    return blocks


def _is_sum(o: Operation) -> bool:
    return any(t.axes for t in o.equation.terms)


def _renamed(w: Writer, e: Equation) -> list[Sentence]:
    """A word on letters that stand in for those of free indices."""
    scope = w.notation.scope(e.left.axes)
    inside = {a for t in e.terms for s in t.body.atoms(Reduction) for a in s.axes}
    clashing = [a for a in e.left.axes if a in inside]
    pairs = [sentence(", ", Math(w.notation.inner(a, scope)), " running as ", w.index(a)) for a in clashing]
    return pairs


def _helpers(w: Writer, helpers: dict[Quantity, sympy.Expr]) -> list[Block]:
    """What the code has further names for."""
    if not helpers:
        return []
    rows = tuple(((Code(q.name),), (w.local(e, w.notation.scope(q.axes)),)) for q, e in helpers.items())
    return [paragraph("The code computes these once, under names of their own:"), Table(("in the code", "is"), rows)]
