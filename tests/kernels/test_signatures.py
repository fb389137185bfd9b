"""Names, order, kinds and defaults of every argument, as the contract prints them; docstrings that speak of each."""

import inspect
import re

import numpy as np
import pytest

from .agreement import check
from .problems import medium_problem
from .subjects import FUNCTIONS, over

REQUIRED = inspect.Parameter.empty
OPTIONS = {
    "channels": {"channel_axis": 1},
    "trailing": {"normalized_ndim": None},
    "groups": {},
    "instance": {},
    "arrays": {},
    "elementwise": {},
}
PRINTED = {
    "batch_norm": {
        "forward": "x, gamma, beta",
        "backward": "dy, x, gamma, saved",
        "inference": "x, gamma, beta, mean, var",
        "inference_backward": "dy, x, gamma, mean, var",
        "fold": "gamma, beta, mean, var",
        "jvp": "x, gamma, beta, tx, tgamma, tbeta",
        "double_backward": "ddx, ddgamma, ddbeta, dy, x, gamma, saved",
        "backward_jvp": "dy, tdy, x, tx, gamma, tgamma, saved",
        "population": "means, variances, count",
        "update_running": "mean, var, saved",
    },
    "batch_norm_relu": {
        "forward": "x, gamma, beta",
        "backward": "dy, x, gamma, beta, saved",
        "jvp": "x, gamma, beta, tx, tgamma, tbeta",
        "double_backward": "ddx, ddgamma, ddbeta, dy, x, gamma, beta, saved",
        "backward_jvp": "dy, tdy, x, tx, gamma, tgamma, beta, tbeta, saved",
    },
    "batch_norm_add_relu": {
        "forward": "x, residual, gamma, beta",
        "backward": "dy, x, residual, gamma, beta, saved",
        "jvp": "x, residual, gamma, beta, tx, tresidual, tgamma, tbeta",
        "double_backward": "ddx, ddresidual, ddgamma, ddbeta, dy, x, residual, gamma, beta, saved",
        "backward_jvp": "dy, tdy, x, tx, residual, tresidual, gamma, tgamma, beta, tbeta, saved",
    },
    "layer_norm": {"forward": "x, gamma, beta", "backward": "dy, x, gamma, saved"},
    "rms_norm": {"forward": "x, gamma", "backward": "dy, x, gamma, saved"},
    "group_norm": {
        "forward": "x, gamma, beta, num_groups",
        "backward": "dy, x, gamma, saved",
        "jvp": "x, gamma, beta, tx, tgamma, tbeta, num_groups",
        "double_backward": "ddx, ddgamma, ddbeta, dy, x, gamma, saved",
    },
    "instance_norm": {"forward": "x, gamma, beta", "backward": "dy, x, gamma, saved"},
    "masked_batch_norm": {
        "forward": "x, mask, gamma, beta",
        "backward": "dy, x, mask, gamma, saved",
        "jvp": "x, mask, gamma, beta, tx, tgamma, tbeta",
    },
    "batch_renorm": {
        "forward": "x, r, d, gamma, beta",
        "backward": "dy, x, r, d, gamma, saved",
        "correction": "saved, running_mean, running_var, r_max, d_max",
    },
}
FOR_THE_SAME = {f"batch_norm_{name}": "batch_norm_relu" for name in ("sigmoid", "tanh", "gelu", "gelu_tanh", "silu")}
SAVED = {("mean", "var"): ("mean", "var", "inv_std", "count"), ("mean_square",): ("mean_square", "inv_rms", "count")}
"""What the contract prints of `saved`, by the statistics that are taken."""


def kinds(subject, function):
    """The positional arguments, and the keyword-only ones with their defaults."""
    found = subject.parameters(function).values()
    assert {p.kind for p in found} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    assert all(p.default is REQUIRED for p in found if p.kind is p.POSITIONAL_OR_KEYWORD)
    return subject.arguments(function), {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}


def test_every_definition_has_the_functions_of_all(subject):
    assert set(FUNCTIONS) <= set(subject.functions)
    names = set(subject.kernels.module.__all__)
    assert names == {n for n in vars(subject.kernels.module) if n in names}
    if any(q.role == "statistic" for q in subject.definition.saved) and subject.layout == "channels":
        assert {"inference", "inference_backward", "population", "update_running"} <= names
    assert subject.has("correction") == (subject.definition.correction is not None)


def printed(subject):
    """The arguments of each function that the contract prints."""
    return PRINTED.get(FOR_THE_SAME.get(subject.name, subject.name), {})


@over(printed)
def test_positional_arguments_are_as_the_contract_prints_them(subject):
    for function, names in printed(subject).items():
        assert kinds(subject, function)[0] == names.split(", "), function


def test_arguments_follow_the_definition(subject):
    """The inputs in their order, each gradient's cotangent first, tangents after or beside what they belong to."""
    names = [q.name for q in subject.role("data", "mask", "fixed", "parameter")]
    y, tangents = subject.output.name, [q.name for q in subject.differentiated]
    groups = ["num_groups"] if subject.layout == "groups" else []
    assert kinds(subject, "forward")[0] == names + groups
    assert kinds(subject, "jvp")[0] == names + [f"t{n}" for n in tangents] + groups
    given = kinds(subject, "backward")[0]
    assert given[0] == f"d{y}"
    assert [n for n in names if n in given] == [n for n in given if n in names]
    assert kinds(subject, "double_backward")[0] == [f"dd{n}" for n in tangents] + given
    both = kinds(subject, "backward_jvp")[0]
    assert both[:2] == [f"d{y}", f"td{y}"]
    assert [n for n in both if n in given] == given
    assert set(both) - set(given) <= {f"td{y}", *(f"t{n}" for n in tangents)}


def test_options_and_their_defaults(subject):
    constants = {q.name: q.default for q in subject.role("constant")}
    for function in subject.derivatives:
        found = kinds(subject, function)[1]
        wanted = dict(OPTIONS[subject.layout])
        if function in ("forward", "jvp", "inference", "inference_backward"):
            wanted |= constants
        assert wanted.items() <= found.items(), function
        assert REQUIRED not in found.values(), function  # whatever a backend adds is optional
        assert found.get("out", None) is None
    for function in ("forward", "backward", "inference", "inference_backward"):
        if subject.has(function) and (function != "forward" or subject.output.axes):
            assert "out" in subject.parameters(function), function
    if subject.has("update_running"):
        assert kinds(subject, "update_running")[1]["momentum"] == 0.1


def test_positional_calls_are_calls_by_name(subject):
    problem = medium_problem(subject)
    for function in subject.functions:
        keywords = problem.keywords(function)
        positional = [keywords.pop(n) for n in subject.arguments(function)]
        got, want = (
            getattr(subject.kernels, function)(*a, **k)
            for a, k in ((positional, keywords), ((), problem.keywords(function)))
        )
        flat = lambda r: [np.asarray(v) for v in (r if isinstance(r, tuple) else (r,)) if not hasattr(v, "_fields")]  # noqa: E731
        assert all(np.array_equal(a, b) for a, b in zip(flat(got), flat(want), strict=True)), function


def test_docstring_names_every_argument(subject):
    for function in subject.functions:
        text = inspect.getdoc(getattr(subject.kernels.module, function))
        assert text, function
        for argument in subject.parameters(function):
            assert re.search(rf"\b{argument}\b", text), f"{function}: {argument}"
        for section in ("Computes:", "Args:", "Returns:", "Raises:"):
            assert section in text, f"{function}: {section}"


def test_docstring_gives_every_array_a_shape(subject):
    for function in subject.functions:
        module = subject.kernels.module
        lines = inspect.getdoc(getattr(module, function)).partition("Args:")[2].partition("Returns:")[0]
        said = dict(re.findall(r"^    (\w+): ((?:.|\n {8})*)", lines, re.MULTILINE))
        for p in inspect.signature(getattr(module, function)).parameters.values():
            if p.annotation.startswith("Array") and p.name != "out":
                assert re.search(r"\bshape|\baxes|\baxis", said[p.name]), f"{function}: {p.name}: {said[p.name]}"


def test_saved_is_a_named_tuple_of_the_module(subject):
    if not subject.has("Saved"):
        assert not subject.definition.saved
        pytest.skip("nothing is saved")
    module, problem = subject.kernels.module, medium_problem(subject)
    fields = module.Saved._fields
    assert {q.name for q in subject.definition.saved} <= set(fields)
    assert fields == SAVED.get(tuple(q.name for q in subject.statistics), fields)
    saved = problem.saved()
    assert issubclass(module.Saved, tuple)
    assert type(saved) is module.Saved
    counted = [q for q in subject.definition.saved if q.role == "count"]
    if "count" in fields and not counted:
        assert type(saved.count) is int
        statistic = next(q for q in subject.definition.saved if q.role == "statistic")
        data = subject.role("data")[0]
        assert saved.count == np.prod([problem.shapes.sizes[a] for a in data.axes if a not in statistic.axes])
    check(problem, "backward", problem.call("backward"), problem.call("backward"))
