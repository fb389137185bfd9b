"""What the generated backward computes: its equations in order, and its gradients with every sum written out."""

from __future__ import annotations

import sympy

from bnsym.lowering.kernel import Kernel
from bnsym.lowering.lower import textbook_backward
from bnsym.model import Equation, Quantity, Reduction, Term
from bnsym.report.became import became
from bnsym.report.births import births
from bnsym.report.blocks import Block, Code, Math, Section, Sentence, Table, paragraph, sentence
from bnsym.report.told import helpers, is_sum, left_out, put_in, taken, told
from bnsym.report.writer import Writer


def closed_form(w: Writer) -> Section:
    """The lowered backward, its per-channel arithmetic put back in, and then with every sum written out."""
    kernel = w.kernels["backward"]
    blocks: list[Block] = [
        paragraph(_opening(w, kernel)),
        *_composed(w, kernel),
        *left_out(w, kernel),
        *taken(w, kernel),
        *told(w, kernel),
        *([] if _is_raw(w, kernel) else [*_written_out(w, kernel), *became(w, kernel)]),
        *_steadied(w),
        *_helpers(w, helpers(w, kernel)),
        *_parameters(w),
    ]
    return Section(sentence("What ", Code("backward"), " computes"), tuple(blocks))


def _inner(w: Writer) -> list[Quantity]:
    """The intermediate quantities that have a gradient, in the order of the steps."""
    derivative = w.derivation.backward
    return [s.of for s in derivative.steps if s.of not in derivative.wrt and s.of not in w.derivation.forward.outputs]


def _kept(w: Writer, kernel: Kernel) -> list[Quantity]:
    """Those of them whose gradient the kernel computes under its name."""
    computed, gradients = {o.left for o in kernel.operations}, w.derivation.backward.gradients
    return [q for q in _inner(w) if gradients[q] in computed]


def _is_raw(w: Writer, kernel: Kernel) -> bool:
    """Whether the kernel is the chain rule's own program, and nothing is put together."""
    return bool(_inner(w)) and _kept(w, kernel) == _inner(w)


def _opening(w: Writer, kernel: Kernel) -> Sentence:
    """Which gradients of intermediates are left, what is computed again, and what is taken for granted."""
    inner, kept = _inner(w), _kept(w, kernel)
    if not inner:
        straight = "step above leads" if len(w.derivation.steps) == 1 else "steps above lead"
        shorter = " Written with what the forward pass saved it is shorter." if kernel.takes_saved else ""
        form = sentence(f"The {straight} straight to the inputs.", shorter)
    elif kept == inner:
        form = sentence("The steps above are computed one after the other.")
    elif kept:
        only = "only that to " if len(kept) == 1 else "those to "
        form = sentence("The steps above put together. Of the gradients to intermediate quantities ", only,
                        w.symbols(kept), f" {'is' if len(kept) == 1 else 'are'} computed.")  # fmt: skip
    else:
        left = "no gradient to an intermediate quantity is left."
        form = sentence("The steps above put together: ", left)
    again = [e.left for e in w.derivation.forward.equations if e.left in {o.left for o in kernel.operations}]
    anew = sentence(" Not saved but computed again: ", w.symbols(again), ".") if again else ()
    granted = sentence(" It takes ", w.premises, " for granted.") if w.premises and kept != inner else ()
    return sentence(form, anew, granted)


def _composed(w: Writer, kernel: Kernel) -> list[Block]:
    """How the backward of a composition falls into those of its parts."""
    if len(w.definition.parts) != 2:
        return []
    first, then = w.definition.parts
    (between,), gradients = first.program.outputs, w.derivation.backward.gradients
    own, computed = {e.left for e in then.program.equations}, _kept(w, kernel)
    kept = between if between in computed else next((q for q in computed if q in own), None)
    if kept is None or between not in gradients:
        return []
    gradient = w.symbol(gradients[kept])
    alias = w.derivation.backward.program.equation(gradients[between])
    same = alias is not None and kept != between and alias.right == gradients[kept]
    also = (
        sentence(", which by ", w.references([alias]), " is ", w.symbol(gradients[between])) if alias and same else ()
    )
    if then.layout == "elementwise":
        seed = w.symbol(w.derivation.backward.seeds[0])
        start = sentence(seed, " times the derivative of ", Code(then.name), " is ", gradient, also)
        end = sentence(". From there on this is the backward of ", Code(first.name), ", with ", gradient, " for ", seed)
        return [paragraph(start, end, ".")]
    start = sentence("The backward of ", Code(then.name), " gives ", gradient, also)
    return [paragraph(start, ", and that of ", Code(first.name), " hands it on.")]


def _written_out(w: Writer, printed: Kernel) -> list[Block]:
    """Gradients that use sums, once more without any name for them, as a textbook has them."""
    kernel = textbook_backward(w.derivation)
    sums = {o.left: o.equation.right for o in kernel.operations if is_sum(o)}
    recentred = {o.left for o in printed.operations} - {o.left for o in kernel.operations}
    known = helpers(w, kernel)
    stated = {e.left for e in w.derivation.forward.equations}
    saved = {q for _, q in kernel.takes_saved} - stated
    named = sums | known | {o.left: o.equation.right for o in w.kernels["forward"].operations if o.left in saved}
    blocks: list[Block] = []
    for o in kernel.operations:
        if o.left.role == "gradient" and not is_sum(o) and sums.keys() & set(put_in(o.equation, known).inputs):
            whole = put_in(o.equation, named)
            if any(q.role == "sum" for q in whole.inputs):
                continue
            w.closed.append(whole)
            blocks += [paragraph("With every sum written out", *_renamed(w, whole), ":"), w.formula(whole)]
            blocks += births(w, whole)
    if blocks and recentred:
        why = (
            "Where one factor of a sum adds up to 0 by itself, the code centres the other factor first. The sum is the"
        )
        blocks.append(paragraph(f"{why} same, and rounding does less harm."))
    return blocks


def _steadied(w: Writer) -> list[Block]:
    """What the code does beside, for a mean that was rounded when it was saved."""
    if not w.steadied:
        return []
    means = w.symbols([s.mean for s in w.steadied])
    return [paragraph(*means, " was rounded when it was saved. Where it is far from 0 that tells: the code subtracts"
                      " the mean of what it centred once more: 0, but for rounding.")]  # fmt: skip


def _renamed(w: Writer, e: Equation) -> list[Sentence]:
    """A word on letters that stand in for those of free indices."""
    scope = w.notation.scope(e.left.axes)
    inside = {a for t in e.terms for s in t.body.atoms(Reduction) for a in s.axes}
    clashing = [a for a in e.left.axes if a in inside]
    return [sentence(", ", Math(w.notation.inner(a, scope)), " running as ", w.index(a)) for a in clashing]


def _helpers(w: Writer, known: dict[Quantity, sympy.Expr]) -> list[Block]:
    """What the code has further names for."""
    if not known:
        return []
    whole = ((q, put_in(Equation(q, (Term(e),)), known).right) for q, e in known.items())
    rows = tuple(((Code(q.name),), (w.local(e, w.notation.scope(q.axes)),)) for q, e in whole)
    return [paragraph("The code computes these once, under names of their own:"), Table(("in the code", "is"), rows)]


def _parameters(w: Writer) -> list[Block]:
    """A first layer's data need no gradient."""
    derivative = w.derivation.parameter_backward
    if derivative is None:
        return []
    what = "gradient" if len(derivative.wrt) == 1 else "gradients"
    return [paragraph(Code("parameter_backward"), f" computes the {what} to ",
                      w.symbols(derivative.wrt), " alone: a network's first layer needs no other.")]  # fmt: skip
