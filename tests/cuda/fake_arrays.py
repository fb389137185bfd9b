"""Arrays that see each operation on them, for a stand-in whose graphs record what is called: see fake_graphs."""

import types

import numpy as np

WRITE = {np.copyto, np.ndarray.fill, np.ndarray.__setitem__}
"""What gives nothing but writes to its first argument; other functions write where they are told to by `out`."""
LOOKED_AT = ("__bool__", "__float__", "__int__", "__index__", "item", "tolist")
METHODS = ("__getitem__", "__setitem__", "all", "argmax", "astype", "copy", "fill", "reshape", "sum")


class Array(np.ndarray):
    """An array on the device."""

    device = None  # that of the stand-in: each has a class of arrays of its own

    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.__array_interface__["data"][0])

    def __array_ufunc__(self, ufunc, method, *inputs, **named):
        return self._did(getattr(ufunc, method), inputs, named)

    def __array_function__(self, function, types, inputs, named):
        return self._did(function, inputs, named)

    def _did(self, function, inputs, named):
        kind, out = type(self), named.get("out")
        out = out[0] if isinstance(out, tuple) else out
        inputs, named = plain(inputs), plain(named)

        def call():
            with np.errstate(all="ignore"):  # a device warns of nothing
                result = function(*inputs, **named)
            return result if result is None or isinstance(result, bool) else np.asarray(result)  # no numbers but arrays

        result = self.device.do(call, out is not None or function in WRITE)
        if out is not None:
            return out
        return result.view(kind) if isinstance(result, np.ndarray) else result


def plain(value):
    """The arrays of arguments as NumPy's, so that what NumPy does with them is not seen again."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    return value.view(np.ndarray) if isinstance(value, Array) else value


def _method(name):
    own = getattr(np.ndarray, name)
    return lambda self, *given, **named: self._did(own, (self, *given), named)


def _look(name):
    own = getattr(np.ndarray, name)

    def looked_at(self, *given):
        self.device.wait()
        return own(self.view(np.ndarray), *given)

    return looked_at


for _name in METHODS:
    setattr(Array, _name, _method(_name))
for _name in LOOKED_AT:
    setattr(Array, _name, _look(_name))
