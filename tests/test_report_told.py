"""What the report says of what only some definitions have: compositions, masks, what is held fixed, functions."""

import re
from pathlib import Path

import pytest

from bnsym.claims import invariances
from bnsym.report.markdown import markdown
from bnsym.report.story import story
from tests.report_cases import DERIVED, KERNELS, PROOFS, REPORTS, TOLD, every

ROOT = Path(__file__).parents[1]


def told(name):
    return REPORTS[name].replace(" _", "_")


def test_a_fused_backward_is_the_derivative_and_then_the_plain_backward():
    text = told("batch_norm_gelu")
    assert "(1), (2), (3) and (4) come from `batch_norm`, (5) and (6) from `gelu`; $z$ stands between the two." in text
    assert "Not saved but computed again: $\\hat{x}$ and $z$." in text
    dy, dz = (rf"$\frac{{\partial \ell}}{{\partial {q}_i}}$" for q in "yz")
    assert f"{dy} times the derivative of `gelu` is {dz}. From there on this is the backward of `batch_norm`" in text
    total = r"$\frac{\partial \ell}{\partial \mathrm{total}_{n,d}}$"
    assert f"The backward of `layer_norm` gives {total}, and that of `add` hands it on." in told("add_layer_norm")


def test_only_the_gradients_that_are_kept_are_said_to_be_computed():
    assert "only that to $\\hat{x}$ is computed" in told("layer_norm")
    assert "no gradient to an intermediate quantity is left" in told("batch_norm")
    assert "The step above leads straight to the inputs." in told("relu")


def test_what_a_mask_leaves_out():
    text = told("masked_batch_norm")
    assert "Where $\\mathrm{mask}_i$ is 0, a position is left out: what $x_i$ holds there changes nothing" in text
    assert "each of $\\mathrm{count}_b$ examples that take part" in text
    assert "At inference $\\mu$ and $\\sigma^2$ are given" in text
    assert "size" not in re.sub("(any|small) sizes", "", text)


def test_what_is_held_fixed_stands_at_its_neutral_value_at_inference():
    text = told("batch_renorm")
    assert "$r$ and $d$ are inputs that derivatives hold fixed. `correction` computes them" in text
    assert r"r = \min\left(\max\left(\frac{\sqrt{\sigma^2 + \epsilon}}" in text
    assert "its neutral values, $r = 1$ and $d = 0$, so that (4) becomes" in text
    assert re.search(r"so that \(4\) becomes\n\n\$\$\n\\hat\{x\}_i = \\mathrm\{normalized\}_i ", text)


def test_functions_with_a_kink_are_explained_where_they_occur():
    assert "$\\mathrm{step}$ is 1 where" in told("relu")
    assert "the error function" in told("gelu")
    assert "Of these functions" not in told("batch_norm")
    assert "Of these functions" not in told("batch_renorm")  # its Max and Min are held


def test_numbers_are_short():
    assert r"\tanh\left(\sqrt{\frac{2}{\pi}} \left(0.044715 x^{3} + x\right)\right)" in told("gelu_tanh")
    assert r"\mathrm{erf}\left(\frac{x}{\sqrt{2}}\right)" in told("gelu")


@pytest.mark.parametrize("name", TOLD)
def test_no_sentence_is_empty(name):
    assert not re.search(r"\b(?:to|of|takes|and|by) *[.,;:]|,,|\.\.", REPORTS[name])
    assert not re.search(r"\b1 (?:steps|terms|paths|equations)\b", REPORTS[name])


def test_claims_are_told_once_with_every_method_and_failures_are_not_hidden():
    text = REPORTS["sigmoid"]
    assert "| a holds | written out, m = 2, 3 | proved, residual 0 | nothing |" in text
    assert r"| b \| c | normal form | not proved: `x_i\|y` | `x > 0` |" in text
    assert "Of 3 proofs 1 did not succeed." in text
    proved = markdown(story(DERIVED["sigmoid"], KERNELS["sigmoid"], PROOFS[:2]))
    assert "One claim, 2 proofs: every residual is 0." in proved


def test_foreign_words_are_no_mark_up():
    assert r"Source: an \| odd \*source\*, with \$ and \_marks\_ for `code`." in REPORTS["rows"]


def test_the_unbiasing_factor_is_told_from_its_expectation():
    text = REPORTS["batch_norm"].replace(" _", "_")
    assert r"\mathrm{E}\left[\sigma^2\right] = \frac{m - 1}{m} \mathrm{Var}\left[x\right]" in text
    assert r"\sigma^2 = \frac{m}{B \left(m - 1\right)} \sum_{b=1}^{B} \sigma^2_b" in text
    assert "Statistics of the population" not in REPORTS["rows"]
    assert "## Inference" not in REPORTS["rows"]


@pytest.mark.parametrize("name", ["batch_norm", "rms_norm", "dense", "masked_batch_norm", "batch_norm_gelu_tanh"])
def test_code_is_told_as_it_is_generated(name):
    """Every listing stands in the generated module, line by line; and each line of the backward is in one."""
    module = (ROOT / "generated" / "numpy" / f"{name}.py").read_text(encoding="utf-8")
    told = [block.splitlines() for block in re.findall(r"```python\n(.*?)```", REPORTS[name], re.DOTALL)]
    assert len(told) > 2
    printed = [line.strip() for line in module.splitlines()]
    for lines in told:
        assert all(line.strip() in printed for line in lines)
        assert any(printed[k : k + len(lines)] == [line.strip() for line in lines] for k in range(len(printed)))


@every
def test_each_step_is_said_to_have_become_something(name):
    section = told(name).split("## What `backward` computes")[1].split("\n## ")[0]
    rows = re.findall(
        r"^\| (\(\d+\)) \| .* \| (part of .*|the same as \(\d+\)|\(\d+\)(?: itself)?|not needed) \|$", section, re.M
    )
    alone = "The steps above are computed one after the other." in section
    assert len(rows) == (0 if alone else len(DERIVED[name].steps))


def test_the_second_term_of_dmean_is_said_to_vanish_and_why():
    for name, zero in (
        ("batch_norm", r"\sum_{i=1}^{m} \left(x_i - \mu\right) = 0"),
        ("masked_batch_norm", r"\sum_{i} \mathrm{mask}_i \cdot \left(x_i - \mu\right) = 0"),
        ("add_layer_norm", r"\left(\mathrm{total}_{n,d} - \mu_n\right) = 0"),
    ):
        assert f"{zero}$, since by " in told(name).replace(" _", "_")
    assert "adds up to 0, whatever" not in told("rms_norm")


def test_each_term_of_the_closed_form_is_traced_to_its_way():
    rows = told("batch_norm").split("Each of its terms")[1].split("\n\n")[1].splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [r"| (3), $\hat{x}_i$", r"| (2), $\sigma^2$", r"| (1), $\mu$"]
    assert rows[2].endswith("| nothing: it is the same for every $i$ |")
    assert "Each of its terms" not in told("dense")


def test_what_outputs_do_not_see():
    holds = [p for p in invariances(DERIVED["layer_norm"]) if "unchanged" in p.claim]
    text = markdown(story(DERIVED["layer_norm"], KERNELS["layer_norm"], holds))
    section = text.split("## What the outputs do not see")[1].split("\n## ")[0]
    assert r"| forward | y is unchanged when b\[n\] is added to x | 0 |" in section
    assert "What the outputs do not see" not in REPORTS["layer_norm"]  # nothing was proved for that one
    assert "can depend on every element of $x$ along $d$" in told("layer_norm")
    assert "depend on every element" not in told("dense")
