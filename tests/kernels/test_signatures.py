"""Names, order, kinds and defaults of every argument, and a docstring that speaks of each."""

import inspect
import re

import pytest

REQUIRED = inspect.Parameter.empty
SIGNATURES = {
    "forward": (("x", "gamma", "beta"), {"eps": 1e-5, "channel_axis": 1, "out": None}),
    "backward": (("dy", "x", "gamma", "saved"), {"channel_axis": 1, "out": None}),
    "inference": (("x", "gamma", "beta", "mean", "var"), {"eps": 1e-5, "channel_axis": 1, "out": None}),
    "inference_backward": (("dy", "x", "gamma", "mean", "var"), {"eps": 1e-5, "channel_axis": 1, "out": None}),
    "fold": (("gamma", "beta", "mean", "var"), {"eps": 1e-5}),
    "population": (("means", "variances", "count"), {}),
    "update_running": (("mean", "var", "saved"), {"momentum": 0.1}),
}
EVERY_FUNCTION = pytest.mark.parametrize("name", SIGNATURES)


@EVERY_FUNCTION
def test_signature(bn, name):
    positional, keyword = SIGNATURES[name]
    found = inspect.signature(getattr(bn.module, name)).parameters.values()
    kinds = {kind: [p for p in found if p.kind is kind] for kind in {p.kind for p in found}}
    assert tuple(p.name for p in kinds.pop(inspect.Parameter.POSITIONAL_OR_KEYWORD)) == positional
    defaults = {p.name: p.default for p in kinds.pop(inspect.Parameter.KEYWORD_ONLY, [])}
    assert not kinds
    assert keyword.items() <= defaults.items()
    assert REQUIRED not in defaults.values()  # whatever a backend adds is optional
    assert all(p.default is REQUIRED for p in found if p.name in positional)


@EVERY_FUNCTION
def test_docstring_names_every_argument(bn, name):
    text = inspect.getdoc(getattr(bn.module, name))
    assert text
    for argument in inspect.signature(getattr(bn.module, name)).parameters:
        assert re.search(rf"\b{argument}\b", text), argument


def test_saved_has_the_four_fields(bn):
    assert bn.module.Saved._fields == ("mean", "var", "inv_std", "count")
    assert issubclass(bn.module.Saved, tuple)
