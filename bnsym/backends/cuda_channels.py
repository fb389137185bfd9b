"""Functions of statistics and parameters alone as CUDA C++: a thread a channel, in float64."""

from __future__ import annotations

from bnsym.backends.cuda_names import cpp_name, struct_name
from bnsym.backends.cuda_printer import CudaPrinter
from bnsym.lowering.kernel import Kernel, Kind, Operation
from bnsym.model import Quantity, Size, outside_and_inside, quantities


class CudaChannels:
    """The text of one such function. Sums run over the batches, the first of two dimensions."""

    def __init__(self, kernel: Kernel, number: int):
        self.kernel, self.name, self.number, self.struct = kernel, kernel.name, number, struct_name(kernel.name)
        given = (*kernel.arguments, *(q for _, q in kernel.takes_saved))
        self.vectors = tuple(q for q in given if q.axes)
        self.numbers = tuple(q for q in given if not q.axes)
        self.results = kernel.outputs
        self.batches = any(o.kind is Kind.REDUCE for o in kernel.operations)
        self.printer = CudaPrinter("double", self._operand)

    def name_of(self, q: Quantity) -> str:
        """A quantity's name in C++."""
        return cpp_name(q.name)

    def _operand(self, q: Quantity) -> str:
        return "double(a.n[0])" if isinstance(q, Size) else cpp_name(q.name)

    def statements(self) -> list[str]:
        """From the arguments to the results."""
        lines = [f"const double {cpp_name(q.name)} = a.{cpp_name(q.name)};" for q in self.numbers]
        summed = {q for o in self.kernel.operations for t in o.equation.terms if t.axes for q in quantities(t.body)}
        for q in self.vectors:
            if q not in summed:
                absent = q.absent if q.absent is not None else 0
                lines.append(f"const double {cpp_name(q.name)} = read(a.{cpp_name(q.name)}, k, {absent});")
        for o in self.kernel.operations:
            lines += self._summed(o) if o.kind is Kind.REDUCE else []
            if o.kind is not Kind.REDUCE:
                lines.append(f"const double {cpp_name(o.left.name)} = {self.printer.assigned(o.equation.right)};")
        return [*lines, *(f"a.{cpp_name(q.name)}_result[k] = Kept({cpp_name(q.name)});" for q in self.results)]

    def _summed(self, o: Operation) -> list[str]:
        (term,) = o.equation.terms
        outside, inside = outside_and_inside(term)
        name = cpp_name(o.left.name)
        read = [q for q in quantities(inside) if q in self.vectors]
        return [
            f"double {name} = 0;",
            "for (int64 batch = 0; batch < a.n[0]; ++batch) {",
            *(
                f"    const double {cpp_name(q.name)} = read(a.{cpp_name(q.name)}, batch * a.n[1] + k, 0);"
                for q in read
            ),
            f"    {name} += {self.printer.formula(inside)};",
            "}",
            f"{name} *= {self.printer.assigned(outside)};",
        ]
