"""A function's arguments, matched by the names that people give them. Needs nothing of bnsym: it runs where they do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

ALIASES = {
    "dy": (
        "dout", "grad", "grad_output", "grad_out", "grad_y", "dl_dy", "dldy", "upstream", "delta", "d_out", "dl_dout",
    ),
    "x": ("inputs", "input", "inp", "data", "a", "x_in"),
    "gamma": ("weight", "scale", "w", "g"),
    "beta": ("bias", "shift", "b", "offset"),
    "eps": ("epsilon", "e"),
    "mean": ("mu", "sample_mean", "batch_mean", "mu_b", "x_mean", "mean_x"),
    "var": ("sigma2", "variance", "sample_var", "batch_var", "sigma_sq", "x_var", "var_x", "sigma2_b"),
    "std": ("sigma", "sqrtvar", "stddev", "sqrt_var", "sample_std"),
    "inv_std": ("ivar", "istd", "rstd", "invvar", "inv_var", "invstd", "r", "inv_sigma", "inv_stddev"),
    "inv_rms": ("rrms", "rstd"),
    "x_hat": ("xhat", "xh", "x_norm", "xnorm", "normalized", "x_normalized", "xn", "normalized_x"),
    "x_centred": ("xmu", "x_mu", "xm", "x_centered", "xc", "x_minus_mean"),
    "m": ("n", "batch_size", "count"),
    "num_groups": ("groups", "g"),
    "options": ("bn_param", "ln_param", "gn_param", "bn_params"),
}  # fmt: skip
"""Our names, and those under which they are found elsewhere, in lower case."""
CACHES = ("cache", "saved", "ctx")
"""What a forward's cache is called."""


class Unmatched(Exception):
    """Arguments that cannot be matched; one sentence."""


def matched(function: Callable[..., Any], given: Mapping[str, Any], spelled: str | None, cache: Any) -> dict[str, Any]:
    """What to call a function with: by parameter name, or as `--args` says. `cache` is a forward's, or None."""
    parameters = _parameters(function)
    said = _said(spelled, [p.name for p in parameters]) if spelled else {}
    arguments, unknown = {}, []
    for p in parameters:
        name = said.get(p.name, p.name)
        found = _found(name, given, cache)
        if found is not None:
            arguments[p.name] = found[0]
        elif p.name in said:
            raise Unmatched(f"--args names {name!r}, which is none of {_known(given)}")
        elif p.default is inspect.Parameter.empty:
            unknown.append(p.name)
    if unknown and cache is not None and len(unknown) == 1 and not any(v is cache for v in arguments.values()):
        return arguments | {unknown[0]: cache}
    if unknown:
        raise Unmatched(_what_is_needed(unknown, given))
    return arguments


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = list(inspect.signature(function).parameters.values())
    if any(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in found):
        raise Unmatched("it takes arguments by position alone, and is called by name")
    return [p for p in found if p.kind not in several]


def _said(spelled: str, names: list[str]) -> dict[str, str]:
    """`--args`: our names in the order of the function's arguments, or argument=ours."""
    said = {}
    items = [item.strip() for item in spelled.split(",")]
    if len(items) > len(names):
        raise Unmatched(f"--args has {len(items)} names, and the function {len(names)} arguments")
    for place, item in zip(names, items, strict=False):
        argument, equals, ours = item.partition("=")
        if equals and argument.strip() not in names:
            raise Unmatched(f"--args names the argument {argument.strip()!r}, and the function has {', '.join(names)}")
        said[argument.strip() if equals else place] = ours.strip() if equals else item
    return said


def _found(name: str, given: Mapping[str, Any], cache: Any) -> tuple[Any] | None:
    """The value for an argument's name, in a tuple of one; None where there is none."""
    plain = name.lower().rstrip("_")
    if plain in CACHES and cache is not None:
        return (cache,)
    for ours in [n for n in given if n.lower() == plain] or [n for n in given if plain in ALIASES.get(n, ())]:
        return (given[ours],)
    if plain in ALIASES["options"]:
        return ({"mode": "train"} | {n: given[n] for n in ("eps", "num_groups") if n in given},)
    return None


def _known(given: Mapping[str, Any]) -> str:
    return ", ".join(given)


def _what_is_needed(unknown: list[str], given: Mapping[str, Any]) -> str:
    what = " and ".join(repr(n) for n in unknown)
    kind = "argument" if len(unknown) == 1 else "arguments"
    return f"what its {kind} {what} {'is' if len(unknown) == 1 else 'are'} cannot be told: say so with --args, such as \
{unknown[0]}=x, from {_known(given)}; a cache comes from --forward FILE.py:FUNCTION"
