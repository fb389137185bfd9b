"""A user's arrays and the program's: what each layout makes of a shape. A definition is known by its layout alone."""

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Form:
    """x's shape and the options that go with it; `shape` is the sizes of the axes for layout "arrays"."""

    shape: tuple
    option: tuple = ()
    normalized_ndim: int = 1

    @property
    def options(self):
        return dict([self.option] if self.option else [])


def form(layout, shape, option=None):
    """A form by what its layout adds to the shape: the channel axis, the groups, or how many axes are normalized."""
    if layout == "trailing":
        return Form(shape, (), option)
    name = {"channels": "channel_axis", "groups": "num_groups"}.get(layout)
    return Form(shape, (name, option) if name else ())


SMALL = {
    "channels": [((4, 3), 1), ((2, 3, 2), 1), ((2, 2, 3), -1)],
    "trailing": [((3, 4), 1), ((2, 2, 3), 2), ((2, 2, 3), 1)],
    "groups": [((2, 4, 2), 2), ((3, 4), 2), ((1, 3, 2, 2), 1)],
    "instance": [((2, 2, 3), None), ((1, 3, 2, 2), None)],
    "arrays": [((4, 3, 2), None), ((2, 3, 3), None)],
    "elementwise": [((3, 4), None), ((5,), None)],
}
"""Small enough for sixty digits; the first of each is used where one form will do."""

MEDIUM = {
    "channels": [((12, 5), 1), ((4, 5, 3, 2), 1), ((4, 3, 2, 5), -1), ((5, 12), 0)],
    "trailing": [((7, 12), 1), ((3, 2, 4, 5), 2), ((2, 3, 5), 3)],
    "groups": [((3, 6, 4, 2), 3), ((5, 8), 2)],
    "instance": [((3, 4, 5, 2), None), ((2, 3, 7), None)],
    "arrays": [((12, 5, 7), None), ((6, 6, 6), None)],
    "elementwise": [((12, 5), None), ((3, 4, 2), None)],
}


def shorter(form, subject):
    """A large form, shorter along its longest axis where the backend asks for that; a multiple of 4."""
    if subject.layout == "arrays":  # the library's own functions compute
        return form
    at = max(range(len(form.shape)), key=lambda k: form.shape[k])
    length = max(form.shape[at] // subject.does.shorter // 4 * 4, 4)
    return replace(form, shape=(*form.shape[:at], length, *form.shape[at + 1 :])) if length < form.shape[at] else form


def small(subject):
    return [form(subject.layout, *s) for s in SMALL[subject.layout]]


def medium(subject):
    return [form(subject.layout, *s) for s in MEDIUM[subject.layout]]


class Arrays:
    """The shapes of every quantity of a subject in one form, and the way between a user's arrays and the program's."""

    def __init__(self, subject, form):
        self.layout, self.form, self.element = subject.layout, form, subject.element_axes
        self.spans, shape = {}, form.shape  # the user's axes that a program's axis stands for
        axes = subject.program.axes
        if self.layout == "channels":
            c = shape[form.options["channel_axis"]]
            rows = math.prod(n for k, n in enumerate(shape) if k != form.options["channel_axis"] % len(shape))
            self.sizes = dict(zip(self.element, (rows, c), strict=True))
        elif self.layout == "trailing":
            cut = len(shape) - form.normalized_ndim
            self.spans = dict(zip(self.element, (shape[:cut], shape[cut:]), strict=True))
            self.sizes = {a: math.prod(span) for a, span in self.spans.items()}
        elif self.layout == "groups":
            groups = form.options["num_groups"]
            sizes = shape[0], groups, shape[1] // groups, math.prod(shape[2:])
            self.sizes = dict(zip(self.element, sizes, strict=True))
        elif self.layout == "instance":
            self.sizes = dict(zip(self.element, (*shape[:2], math.prod(shape[2:])), strict=True))
        elif self.layout == "arrays":
            self.sizes = dict(zip(axes, shape, strict=False))
        else:
            self.sizes = {axes[0]: math.prod(shape)}

    def program_shape(self, q):
        return tuple(self.sizes[a] for a in q.axes)

    def shape(self, q):
        """The user's shape."""
        if q.axes == self.element and self.layout != "arrays":
            return self.form.shape
        if self.layout == "groups" and set(self.element[1:3]) <= set(q.axes):
            return (self.form.shape[1],)
        return tuple(n for a in q.axes for n in self.spans.get(a, (self.sizes[a],)))

    def to_program(self, q, a):
        a = np.asarray(a)
        if q.axes == self.element and self.layout == "channels":
            a = np.moveaxis(a, self.form.options["channel_axis"], -1)
        return a.reshape(self.program_shape(q))

    def to_user(self, q, a):
        a, shape = np.asarray(a), self.shape(q)
        if q.axes == self.element and self.layout == "channels":
            axis = self.form.options["channel_axis"]
            moved = np.moveaxis(np.empty(shape), axis, -1).shape
            return np.moveaxis(a.reshape(moved), -1, axis)
        return a.reshape(shape)
