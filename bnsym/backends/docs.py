"""Docstrings of generated functions: what they compute, arguments with shapes and dtypes, results, errors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from os.path import commonprefix
from typing import TYPE_CHECKING

from bnsym.backends.library import Library
from bnsym.backends.numpy_printer import readable
from bnsym.lowering.kernel import Kind
from bnsym.model import Definition, Proof, Quantity

if TYPE_CHECKING:
    from bnsym.backends.signature import Signature

SUMMARIES = {
    "forward": "Compute {outputs} as the definition states it ({source}).",
    "backward": "Compute the gradients of sum(d{output} * {output}), in closed form.",
    "jvp": "Compute {outputs} and the derivative in the direction of the tangents (forward mode).",
    "double_backward": "Compute the gradients of `backward`'s results, each weighted by what it is multiplied with.",
    "backward_jvp": "Compute `backward` and its derivative in the direction of the tangents (forward over reverse).",
    "correction": "Compute what forward is given and gradients hold fixed, from the statistics that forward saved.",
    "parameter_backward": "Compute the gradients to the parameters alone, as `backward` does.",
    "inference": "Compute {outputs} with given statistics, such as those of `population`.",
    "inference_backward": "Compute the gradients of `inference`, its statistics held fixed.",
    "fold": "Fold `inference` into {output} = scale * {data} + shift.",
    "population": "Average the statistics of mini-batches of `count` examples, made unbiased.",
    "update_running": "Move running statistics towards those of a mini-batch, made unbiased.",
}

NOTES = {
    "fold": ["Where mean is large beside the standard deviation this loses digits; `inference` does not."],
}

COMMON = {
    "saved": "what `forward` returned",
    "out": "arrays that take the results, in the order they are returned, None for a new one;"
    " the first may be an input itself",
    "channel_axis": "the axis of the channels",
    "normalized_ndim": "how many trailing axes to normalize over, where no parameter says it",
    "momentum": "from 0 to 1, the weight of the NEW value",
    "threads": "how many threads may share the work, None for BNSYM_NUM_THREADS or else all processors; the results are"
    " the same bits for any number",
    "num_groups": "how many groups the channels of axis 1 are divided into",
}

COUNT = "examples (and locations) in each mini-batch, at least 2"

ONE_OUT = "an array that takes the result, None for a new one; it may be an input itself"


def summary(name: str, definition: Definition) -> str:
    """The first line of a docstring."""
    outputs = definition.program.outputs
    return SUMMARIES[name].format(
        outputs=", ".join(q.name for q in outputs),
        output=outputs[0].name,
        data=definition.program.inputs[0].name,
        source=definition.source.replace("\\", "/").replace('"', "'"),
    )


def describe(function: Signature, definition: Definition, proofs: Sequence[Proof], library: Library) -> list[str]:
    """What follows the first line: computes, arguments, results, errors, and what was proved."""
    lines = ["Computes:"]
    lines += [f"    {p.pivot} = {library.pivot.format(p.data)}" for p in function.kernel.pivots]
    for o in function.kernel.operations:
        rarely = ""
        if o.where is not None and o.kind is not Kind.MAP:
            rarely = f" where {readable(o.where.gts)} > {readable(o.where.lts)}, else 0"
        lines += _wrapped(f"{o.left.name} = {readable(o.equation.right)}{rarely}")
    lines += ["", "Args:"]
    quantities = {q.name: q for q in function.kernel.arguments}
    for p in (*function.positional, *function.keywords):
        one = p.name == "out" and len(function.kernel.outputs) == 1
        text = ONE_OUT if one else COMMON.get(p.name) or _argument(quantities[p.name], function, definition, library)
        lines += _wrapped(f"{p.name}: {text}")
    lines += ["", "Returns:", *_results(function, definition, library), "", "Raises:"]
    lines += _wrapped(f"TypeError: for what is not a {library.plain}, or a number, of a supported dtype")
    lines += _wrapped("ValueError: for a wrong shape, axis or value, or memory that is shared; nothing is written then")
    given = [f"Given that {p.term.expression} = {p.value}, which is not checked." for p in definition.premises]
    if given:
        lines += ["", *given]
    for note in NOTES.get(function.name, []):
        lines += ["", note]
    return lines + _proved(function.name, proofs)


def _proved(name: str, proofs: Sequence[Proof]) -> list[str]:
    """The claims about one function, each once, with every method that proved it."""
    methods: dict[str, list[str]] = {}
    for p in proofs:
        if p.claim.startswith(f"{name}: "):
            methods.setdefault(p.claim.removeprefix(f"{name}: "), []).append(p.method)
    if not methods:
        return []
    return ["", "Proved:", *(line for claim, by in methods.items() for line in _wrapped(f"{claim} ({_joined(by)})"))]


def _joined(methods: list[str]) -> str:
    """`written out, m = 2, 3, 4, 5` for four methods that begin alike."""
    written = [m for m in methods if m.startswith("written out, ")]
    others = [m for m in methods if m not in written]
    alike = commonprefix(written)  # noqa: RUF071 - text, not paths
    return "; ".join([*others, *([alike + ", ".join(m.removeprefix(alike) for m in written)] if written else [])])


def _argument(q: Quantity, function: Signature, definition: Definition, library: Library) -> str:
    data = definition.program.inputs[0].name
    if q.name == "count":
        return f"integers, {_shape(q, function, definition)}: {COUNT}{library.unchecked}" if q.axes else COUNT
    if q.role == "constant":
        return f"a number, at least {q.at_least}"
    if q.role == "gradient":
        shape = f", {_shape(q, function, definition)}" if q.axes else ""
        return _derived(q, function) + shape + ("; None stands for 0" if function.may_be_none(q) else "")
    if q.role == "mask" and definition.layout != "arrays":
        return f"{library.mask}, of a shape that broadcasts to {data}'s"
    if function.is_array(q) and definition.layout != "arrays":
        return f"{library.floats}, {_shape(q, function, definition)}" + (f", as {data}" if q.name != data else "")
    shape = _shape(q, function, definition)
    if q.role == "mask":
        return f"zeros and ones, {library.floats}, {shape}"
    return f"{library.floats}, {shape}" + (f"; None stands for {q.absent}" if q.absent is not None else "")


def _derived(q: Quantity, function: Signature) -> str:
    """What a gradient or a tangent is."""
    if q not in function.kernel.optional:
        return f"gradient of the loss to {q.name.removeprefix('d')}"
    if q.name.startswith("t"):
        return f"tangent of {q.name.removeprefix('t')}"
    return f"gradient of the loss to {q.name.removeprefix('d')}, which `backward` gives"


def _shape(q: Quantity, function: Signature, definition: Definition) -> str:
    layout, data = definition.layout, definition.program.inputs[0]
    if function.per_channel:
        return f"shape ({', '.join(_axis_word(a.name, definition) for a in q.axes)}{',' if len(q.axes) == 1 else ''})"
    if function.is_array(q) and layout != "arrays":
        return {"trailing": "1 axis or more", "elementwise": "any shape"}.get(layout, "2 axes or more")
    if layout in ("groups", "instance"):
        return "shape (C,)" if q.axes[0] != data.axes[0] else "shape (N, G)" if layout == "groups" else "shape (N, C)"
    if layout == "trailing":
        return "the trailing axes' shape" if q.axes[:1] == data.axes[-1:] else "the leading axes' shape"
    return f"shape ({', '.join(_axis_word(a.name, definition) for a in q.axes)}{',' if len(q.axes) == 1 else ''})"


def _axis_word(axis: str, definition: Definition) -> str:
    return "C" if definition.layout == "channels" and axis == definition.program.inputs[0].axes[-1].name else axis


def _results(function: Signature, definition: Definition, library: Library) -> list[str]:
    lines = []
    data = definition.program.inputs[0].name
    outputs = function.kernel.outputs
    if function.calls_forward:
        outputs = tuple(q for pair in zip(definition.program.outputs, outputs, strict=True) for q in pair)
    for q, text in zip(outputs, function.returned, strict=False):
        if not q.axes:
            what = library.number
        elif function.is_array(q):
            what = f"shape and dtype of {data}" if definition.layout != "arrays" else _shape(q, function, definition)
        else:
            what = f"{_shape(q, function, definition)}, float64 for float64 data, else float32"
        what += "; None where its parameter is" if "None" in text else ""
        lines += _wrapped(f"{q.name.removeprefix('new_')}: {what}")
    return lines + (_wrapped("saved: for `backward`") if "saved" in function.returned else [])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, 108, initial_indent="    ", subsequent_indent="        ", break_long_words=False, break_on_hyphens=False
    )
