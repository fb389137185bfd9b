"""Why a variance is not taken as E[x^2] - E[x]^2: the kernel's equations, and what rounding does to each way."""

from __future__ import annotations

import numpy as np

from bnsym.calculus.fractions import InexactError
from bnsym.calculus.singles import UnevenError
from bnsym.lowering.kernel import FAR, Kernel, Pivot
from bnsym.report.blocks import Block, Listing, Mark, Plot, Section, Series, paragraph
from bnsym.report.rounding import COUNT, Found, experiment
from bnsym.report.sentences import Code, Math, sentence
from bnsym.report.writer import Writer

PLAIN = 10**4
"""The mean at which the text says what comes out."""
DIGITS = 24
"""Binary digits of single precision: no error below two to minus this can be told from none."""


def numerics(w: Writer) -> Section | None:
    """Two passes, a pivot, and none, for a definition whose variance is centred at its mean."""
    kernel = w.kernels["forward"]
    if not kernel.pivots:
        return None
    try:
        found = experiment(w.derivation.forward, kernel)
    except (UnevenError, InexactError):
        return None
    blocks = [*_ways(w, kernel, kernel.pivots[0]), *_measured(w, kernel.pivots[0], found)]
    return Section(sentence("Rounding: why there is a pivot"), tuple(blocks))


def _ways(w: Writer, kernel: Kernel, pivot: Pivot) -> list[Block]:
    """The same variance in one pass, for any pivot."""
    var, mean, place = w.bare(pivot.var), w.bare(pivot.mean), w.bare(pivot.pivot)
    stated = [e for e in w.derivation.forward.equations if e.left in (pivot.mean, pivot.var)]
    twice = sentence("As ", w.references(stated), " state it, ", var, " needs ", mean, " first: two passes over the"
                     " data.")  # fmt: skip
    once = sentence(" The code of ", Code("forward"), " takes one. It subtracts a number from all data, ", place)
    return [
        paragraph(twice, once, ", and makes up for it afterwards:"),
        *_equations(w, kernel, pivot),
        paragraph("This gives the same ", var, " for any pivot. With 0 as pivot it is the mean of the squares less the"
                  " square of the mean, ", Math(_shortcut(w, pivot)), ", which is often seen."),
    ]  # fmt: skip


def _equations(w: Writer, kernel: Kernel, pivot: Pivot) -> list[Block]:
    """From the data to the variance, as the kernel has it, and its lines of code."""
    needed = kernel.program.needed((pivot.mean, pivot.var)).equations
    shown = [e for e in needed if pivot.pivot in e.inputs or pivot.offset in (e.left, *e.inputs)]
    lines = w.listings.of(kernel.name, [e.left for e in shown])
    return [block for e in shown for block in (w.formula(e), Listing(lines[e.left]))]


def _shortcut(w: Writer, pivot: Pivot) -> str:
    x = w.notation.quantity(pivot.data.func(pivot.data.name))
    return rf"\mathrm{{E}}\left[{x}^{{2}}\right] - \mathrm{{E}}\left[{x}\right]^{{2}}"


def _measured(w: Writer, pivot: Pivot, found: tuple[Found, ...]) -> list[Block]:
    plain, var = next(f for f in found if f.mean == PLAIN), w.bare(pivot.var)
    apart = int(np.spacing(np.float32(PLAIN**2)))
    setting = (
        "In exact arithmetic two passes, a pivot and no pivot give the same. In single precision they do not: there a"
        f" number has {DIGITS} binary digits, some seven decimal ones. Here each is computed from the same {COUNT}"
        " numbers, whose standard deviation is near 1, with sums taken one addition after the other."
        " The error is given in units of the variance:"
    )
    compared = (
        f" of these numbers is {float(plain.exact):.4f}. Two passes find {plain.passes:.4f}, the first number as pivot"
        f" finds {plain.pivoted:.4f}, and without a pivot {plain.shortcut:g} is found. The squares are near "
    )
    lost = f", where numbers in single precision lie {apart} apart: what is looked for was rounded away before the end."
    root = " Of a variance below 0 there is no root: what is divided by it is not a number." * (plain.shortcut < 0)
    return [
        paragraph(setting),
        _plot(found),
        paragraph(f"Around the mean {PLAIN} the exact ", var, compared, Math("10^{8}"), lost, root),
        paragraph("So a pivot has to lie near the mean, and that is all. ", Code("forward"), " takes the first number,"
                  " or, where there are many, the mean of some of them. Where that turns out to lie more than"
                  f" {FAR} standard deviations from the mean, it starts again from the mean that it has found."),
    ]  # fmt: skip


def _plot(found: tuple[Found, ...]) -> Plot:
    least = 2.0**-DIGITS

    def series(name: str, values: list[float]) -> Series:
        return Series(name, tuple(max(f.error(v), least) for f, v in zip(found, values, strict=True)))

    return Plot(
        "The error of a variance in single precision",
        "mean, in standard deviations",
        "error, in units of the variance",
        tuple(float(f.mean) for f in found),
        (
            series("no pivot", [f.shortcut for f in found]),
            series("two passes", [f.passes for f in found]),
            series("pivot near the mean", [f.pivoted for f in found]),
        ),
        Mark(1.0, "as wrong as it is large"),
    )
