"""Names in CUDA C++: a quantity's own, but where C++ or the templates have taken it."""

from __future__ import annotations

_KEYWORDS = """
    alignas and auto bool break case catch char class compl const constexpr continue default delete do double else enum
    explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not nullptr
    operator or private protected public register return short signed sizeof static struct switch template this throw
    true try typedef typename union unsigned using virtual void volatile while xor
"""
_OURS = """
    A F T Kept a at c channel compute count e element exp erf fabs i in int64 isfinite k kept larger log narrowed
    nonnegative o ok out parts pow power r read result row sign smaller sqrt step store load sums tanh tiny to unit
    value widened
"""
TAKEN = frozenset((_KEYWORDS + _OURS).split())


def cpp_name(name: str) -> str:
    """The name of a quantity's variable."""
    return f"{name}_" if name in TAKEN else name


def struct_name(function: str) -> str:
    """`double_backward` as `DoubleBackward`."""
    return "".join(word.capitalize() for word in function.split("_"))
