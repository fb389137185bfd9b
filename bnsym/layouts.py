"""What each layout asks of a definition: which axes its quantities vary along, and what it gives back."""

from __future__ import annotations

from bnsym.checks import DefinitionError
from bnsym.model import Axis, Definition, Origin

LAYOUTS = ("channels", "trailing", "groups", "instance", "arrays", "elementwise")
"""How the arrays of a definition lie in memory, and so what the generated functions' arguments are."""

AXES = {"channels": 2, "trailing": 2, "groups": 4, "instance": 3, "elementwise": 1}
"""How many axes the data of a layout have."""

PLACES = {"channels": (slice(1, 2), slice(1, 2)), "trailing": (slice(1, 2), slice(0, 1)),
          "groups": (slice(1, 3), slice(0, 2)), "instance": (slice(1, 2), slice(0, 2)),
          "elementwise": (slice(0), slice(0))}  # fmt: skip
"""Which of the data's axes parameters vary along in a layout, and which statistics."""


def check_given_back(made: Definition, origin: Origin) -> None:
    """What is returned, and what is saved, is computed, and each is named once."""
    computed = {e.left for e in made.program.equations}
    for given in (made.program.outputs, made.saved):
        for q in given:
            if q not in computed:
                raise DefinitionError(f"{origin}: {q} is to be returned, but no equation computes it")
            if given.count(q) > 1:
                raise DefinitionError(f"{origin}: {q} is to be returned twice")
    if made.layout in AXES and made.layout != "elementwise":
        statistics = {e.left for e in made.program.equations if e.left.role in ("statistic", "count")}
        for q in sorted(statistics ^ set(made.saved), key=str):
            raise DefinitionError(f"{origin}: layout {made.layout!r} saves the statistics and no more; see to {q}")
    if made.program.outputs == made.program.outputs[:1] and made.program.outputs[0].role != "value":
        raise DefinitionError(f"{origin}: {made.program.outputs[0]} is a statistic; the output is declared by values()")


def check_layout(made: Definition, origin: Origin) -> None:
    """The data come first and all alike, and parameters and statistics vary along the axis that their layout gives."""
    data = [q for q in made.program.inputs if q.role in ("data", "mask")]
    if not data or data[0].role != "data":
        raise DefinitionError(f"{origin}: {made.name} has no data to differentiate")
    count = AXES.get(made.layout)
    axes: tuple[Axis, ...] = data[0].axes
    if count is None:
        return
    if len(axes) != count:
        raise DefinitionError(
            f"{origin}: layout {made.layout!r} needs data along {count} axes, {data[0]} has {len(axes)}"
        )
    parameters, statistics = PLACES[made.layout]
    wanted = {"data": axes, "mask": axes, "parameter": axes[parameters], "fixed": axes[statistics],
              "statistic": axes[statistics], "count": axes[statistics]}  # fmt: skip
    beside = made.correction.inputs if made.correction else ()
    found = [(q, wanted[q.role]) for q in (*made.program.inputs, *(e.left for e in made.program.equations), *beside)
             if q.role in wanted]  # fmt: skip
    for q, along in (*found, *((q, axes) for q in made.program.outputs if q.role == "value")):
        if q.axes != along:
            names = ", ".join(a.name for a in along) or "no axis"
            raise DefinitionError(f"{origin}: in layout {made.layout!r} the {q.role} {q} varies along {names}")
    summed = [e for e in made.program.equations if any(t.axes for t in e.terms)]
    if made.layout == "elementwise" and summed:
        raise DefinitionError(f"{summed[0].origin}: layout 'elementwise' has no sums; choose another for {made.name}")
