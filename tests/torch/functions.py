"""What PyTorch has for each definition: its own function, a composition of them, or elementary operations.

A function takes the inputs by name, as tensors (None for a parameter that is left out), and the kernel's options.
torch has no masked batch norm and no batch renormalization: those two are written out from elementary operations.
"""

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody does


def _channels(x, vector, channel_axis):
    """A (C,) vector so that it broadcasts over x."""
    return vector.reshape([-1 if k == channel_axis % x.ndim else 1 for k in range(x.ndim)])


def _others(x, channel_axis):
    return [k for k in range(x.ndim) if k != channel_axis % x.ndim]


def _affine(y, t, channel_axis):
    for name, combine in (("gamma", torch.mul), ("beta", torch.add)):
        if t[name] is not None:
            y = combine(y, _channels(y, t[name], channel_axis))
    return y


def batch_norm(t, *, eps, channel_axis):
    x = t["x"].movedim(channel_axis, 1)
    return F.batch_norm(x, None, None, t["gamma"], t["beta"], training=True, eps=eps).movedim(1, channel_axis)


def masked_batch_norm(t, *, eps, channel_axis):
    x, taken = t["x"], t["mask"].to(t["x"].dtype)
    dims = _others(x, channel_axis)
    count = taken.sum(dims, keepdim=True)
    mean = (taken * x).sum(dims, keepdim=True) / count
    var = (taken * (x - mean) ** 2).sum(dims, keepdim=True) / count
    return taken * _affine((x - mean) / torch.sqrt(var + eps), t, channel_axis)


def batch_renorm(t, *, eps, channel_axis):
    """r and d are given, and so are constants to every derivative."""
    x = t["x"]
    dims = _others(x, channel_axis)
    mean = x.mean(dims, keepdim=True)
    var = ((x - mean) ** 2).mean(dims, keepdim=True)
    r, d = (_channels(x, t[k], channel_axis) for k in ("r", "d"))
    return _affine((x - mean) / torch.sqrt(var + eps) * r + d, t, channel_axis)


def layer_norm(t, *, eps, normalized_ndim):
    return F.layer_norm(t["x"], t["x"].shape[-normalized_ndim:], t["gamma"], t["beta"], eps)


def rms_norm(t, *, eps, normalized_ndim):
    return F.rms_norm(t["x"], t["x"].shape[-normalized_ndim:], t["gamma"], eps)


def group_norm(t, *, eps, num_groups):
    return F.group_norm(t["x"], num_groups, t["gamma"], t["beta"], eps)


def instance_norm(t, *, eps):
    return F.instance_norm(t["x"], weight=t["gamma"], bias=t["beta"], eps=eps)


def gelu_tanh(x):
    return F.gelu(x, approximate="tanh")


def cross_entropy(t):
    return F.cross_entropy(t["z"], t["t"].to(t["z"].dtype))


def dense(t):
    return F.linear(t["x"], t["w"].mT, t.get("b"))


def add_relu(y, t):
    return F.relu(y + t["residual"])


def elementwise(function):
    return lambda t: function(t["x"])


def followed(first, function):
    return lambda t, **options: function(first(t, **options))


def preceded(norm):
    return lambda t, **options: norm(t | {"x": t["x"] + t["residual"]}, **options)


ACTIVATIONS = {
    "relu": F.relu,
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "gelu": F.gelu,
    "gelu_tanh": gelu_tanh,
    "silu": F.silu,
}
NORMS = {
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "masked_batch_norm": masked_batch_norm,
    "batch_renorm": batch_renorm,
}
FUNCTIONS = {
    **NORMS,
    **{f"batch_norm_{name}": followed(batch_norm, function) for name, function in ACTIVATIONS.items()},
    "batch_norm_add_relu": lambda t, **options: add_relu(batch_norm(t, **options), t),
    "add_layer_norm": preceded(layer_norm),
    "add_rms_norm": preceded(rms_norm),
    **{name: elementwise(function) for name, function in ACTIVATIONS.items()},
    "dense": dense,
    "linear": dense,
    "softmax_cross_entropy": cross_entropy,
}
