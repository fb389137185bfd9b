"""What the generated backward computes: its equations in order, with its code, and what became of the steps."""

from __future__ import annotations

import sympy

from bnsym.lowering.kernel import FAR, Kernel
from bnsym.lowering.lower import textbook_backward
from bnsym.model import Equation, Quantity, Term
from bnsym.report.became import became
from bnsym.report.blocks import Block, Section, Table, paragraph
from bnsym.report.sentences import Code, Sentence, Span, Text, enumerated, sentence
from bnsym.report.told import helpers, left_out, put_in, taken, told
from bnsym.report.writer import Writer


def computed(w: Writer) -> Section:
    """The lowered backward, its per-channel arithmetic put back in, each equation with the lines that it became."""
    kernel = w.kernels["backward"]
    blocks: list[Block] = [
        paragraph(_opening(w, kernel)),
        *_composed(w, kernel),
        *left_out(w, kernel),
        *taken(w, kernel),
        *_dimensions(w),
        *told(w, kernel),
        *([] if is_raw(w) else [*_centred(w, kernel), *became(w, kernel)]),
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


def is_raw(w: Writer) -> bool:
    """Whether the kernel is the chain rule's own program, and nothing is put together."""
    return bool(_inner(w)) and _kept(w, w.kernels["backward"]) == _inner(w)


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


def _centred(w: Writer, kernel: Kernel) -> list[Block]:
    """Why a factor of a sum is centred that the closed form has as it is."""
    plain = {o.left for o in textbook_backward(w.derivation).operations}
    if not w.closed or all(o.left in plain for o in kernel.operations):
        return []
    return [paragraph("Where one factor of a sum adds up to 0 by itself, the code centres the other factor first. The"
                      " sum is the same, and rounding does less harm.")]  # fmt: skip


def _steadied(w: Writer) -> list[Block]:
    """What the code does beside, for a mean that was rounded when it was saved."""
    variances = {p.mean: p.var for p in w.kernels["forward"].pivots}
    blocks: list[Block] = []
    for mean in (s.mean for s in w.steadied):
        var = variances.get(mean)
        far = sentence(f", its square more than {FAR**2} times ", w.bare(var)) if var else ()
        start = sentence(w.bare(mean), " was rounded when it was saved, which tells where it is far from 0", far)
        end = ". There the code also subtracts the mean of what it centred: 0, but for rounding."
        blocks.append(paragraph(start, end))
    return blocks


def _dimensions(w: Writer) -> list[Block]:
    """Where the axes of the data lie in the arrays that the code has."""
    x = w.derivation.forward.inputs[0]
    if len(x.axes) < 2:
        return []
    taken = {a: w.listings.dimensions(x, a) for a in x.axes}
    places = [sentence(", ", w.index(a), " along ", enumerated(Text(str(d)) for d in taken[a])) for a in x.axes]
    start = sentence("In the code an array like ", Code(x.name), f" has {sum(map(len, taken.values()))} dimensions")
    what: list[str | Span] = [Code("_sum"), " adds up along those that it is given"]
    if w.definition.layout == "channels":
        what += [", ", Code("_beside"), " puts the numbers of channels beside the data"]
    else:
        what += [", ", Code("None"), " puts one of length 1 in where an array lacks it"]
    if w.definition.layout != "arrays":
        what += [", and each ", Code("room"), " is an array to work in"]
    return [paragraph(start, ", counted from 0", *places, ". ", *what, ".")]


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
