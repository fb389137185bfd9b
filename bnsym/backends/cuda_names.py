"""Names in CUDA C++: a quantity's own, but where C++ or the templates have taken it."""

from __future__ import annotations

TAKEN = frozenset(
    """alignas and auto bool break case catch char class compl const constexpr continue default delete do double else enum
    explicit export extern false float for friend goto if inline int int64 long mutable namespace new noexcept not null or
    operator private protected public register return short signed sizeof static step struct switch template this throw
    true try typedef typename union unsigned using virtual void volatile while xor A F T a at c channel count e element
    exp erf fabs i in k kept larger log o ok out parts pow power r read result row sign smaller sqrt store load sums tanh
    unit value widened narrowed""".split()
)


def cpp_name(name: str) -> str:
    """The name of a quantity's variable."""
    return f"{name}_" if name in TAKEN else name


def struct_name(function: str) -> str:
    """`double_backward` as `DoubleBackward`."""
    return "".join(word.capitalize() for word in function.split("_"))
