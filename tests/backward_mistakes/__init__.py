"""What people get wrong in a backward: each mistake is one change to a right text."""

from tests.backward_mistakes.axes import AXES
from tests.backward_mistakes.factors import FACTORS
from tests.backward_mistakes.norms import NORMS
from tests.backward_mistakes.parameters import PARAMETERS
from tests.backward_mistakes.terms import TERMS

MISTAKES = TERMS | FACTORS | AXES | PARAMETERS | NORMS
"""Each mistake: the right text, what is replaced in it and by what, and the lines that name it; None: no name."""
