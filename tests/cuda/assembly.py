"""What the assembly of a .cu tells, and is told: its kernels, their clusters, and the shared memory each uses."""

import re
from collections import defaultdict

# A section; the label of a function or a variable; what a function calls; what it takes the thread-local, that is
# __shared__, address of (the second spelling is that of aarch64); the size of what was labelled.
EVENT = re.compile(
    r"^\t\.(?P<section>section\t[\w.$]+|text)|^(?P<label>\w[\w.$]*):|^\t(?:call|jmp|bl|b)\s+(?P<callee>[\w.$]+)"
    r"|(?<![\w.$])(?P<shared>[\w.$]+)@(?:tlsgd|dtpoff)|:(?:tlsgd|dtprel_hi12):(?P<other>[\w.$]+)"
    r"|^\t\.size\t(?P<sized>[\w.$]+), (?P<size>\d+)",
    re.MULTILINE,
)
FUNCTION = re.compile(r"^\t\.type\t(\w+), [@%]function", re.MULTILINE)
GLOBAL = re.compile(r"^\t\.globl\t(\w+)", re.MULTILINE)
HIDDEN = re.compile(r"^\t\.hidden\t(\w+)", re.MULTILINE)
CLUSTER = "section\tshim_cluster_"  # see __cluster_dims__ in shim.h


def with_tables(assembly):
    """Assembly with directives behind it that only what stands in it can tell.

    A dynamic array, which no library defines, becomes a weak symbol: of no module, which shim.h knows it by. The
    table shim_kernels has of each kernel its address, the size of its clusters, how many __shared__ variables it
    reaches, and of each of those the offset and the size.
    """
    calls, uses, sizes, sections = defaultdict(set), defaultdict(set), {}, {}
    function = section = ""
    for event in EVENT.finditer(assembly):
        kind, name = event.lastgroup, event[event.lastgroup]
        if kind == "section":
            section = name
        elif kind == "label":
            function = name
            sections[name] = section
        elif kind == "callee":
            calls[function].add(name)
        elif kind == "size":
            sizes[event["sized"]] = name
        else:
            uses[function].add(name)
    lines = [f"\t.weak\t{name}" for name in sorted(set().union(*uses.values()) - set(sizes))]
    lines += ['\t.section\t.data.rel.ro,"aw"', "\t.balign\t8", "\t.globl\tshim_kernels", "shim_kernels:"]
    for kernel in kernels(assembly):
        used = sorted(reached(kernel, calls, uses) & set(sizes))
        cluster = sections[kernel].removeprefix(CLUSTER).split("_") if CLUSTER in sections[kernel] else "111"
        lines.append(f"\t.quad\t{kernel}, {', '.join(cluster)}, {len(used)}")
        lines += [f"\t.quad\t{name}@dtpoff, {sizes[name]}" for name in used]
    return "\n".join([assembly, *lines, "\t.quad\t0", ""])


def kernels(assembly):
    """The functions that others see; of a .cu's, these are the kernels alone."""
    found = (set(directive.findall(assembly)) for directive in (FUNCTION, GLOBAL, HIDDEN))
    functions, seen, hidden = found
    return sorted(functions & seen - hidden)


def reached(function, calls, uses):
    """The shared variables of a function and of all that it calls."""
    seen, todo = {function}, [function]
    while todo:
        new = calls[todo.pop()] - seen
        seen |= new
        todo += new
    return set().union(*(uses[f] for f in seen))
