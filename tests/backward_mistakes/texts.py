"""Backwards as people write them, all of them right."""

STAGED = """
import numpy as np

def backward(dy, x, gamma, eps):
    m = x.shape[0]
    mean = x.mean(axis=0)
    var = x.var(axis=0)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mean) * inv_std
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    dx_hat = dy * gamma
    dvar = (dx_hat * (x - mean)).sum(axis=0) * -0.5 * inv_std**3
    dmean = -(dx_hat * inv_std).sum(axis=0) + dvar * (-2 * (x - mean)).mean(axis=0)
    dx = dx_hat * inv_std + dvar * 2 * (x - mean) / m + dmean / m
    return dx, dgamma, dbeta
"""
"""Equation by equation, as the paper has it."""

CLOSED = """
import numpy as np

def backward(dout, x, gamma, eps=1e-5):
    N, D = x.shape
    mu = x.mean(axis=0)
    ivar = 1.0 / np.sqrt(x.var(axis=0) + eps)
    xhat = (x - mu) * ivar
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dx = gamma * ivar / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta
"""
"""Put together, as a course asks for at the end."""

GRAPH = """
import numpy as np

def forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mu = x.mean(axis=0)
    xmu = x - mu
    var = np.mean(xmu**2, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat + beta
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)

def backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / sqrtvar**2 * divar
    dvar = 0.5 / np.sqrt(var + eps) * dsqrtvar
    dsq = np.ones((N, D)) / N * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = np.ones((N, D)) / N * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta
"""
"""Gate by gate through the computational graph, with a cache, as blogs have it."""

LAYER = """
import numpy as np

def backward(dout, x, gamma, eps):
    D = x.shape[-1]
    mu = x.mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    xhat = (x - mu) * rstd
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = rstd * (dxhat - dxhat.mean(axis=-1, keepdims=True) - xhat * (dxhat * xhat).mean(axis=-1, keepdims=True))
    return dx, dgamma, dbeta
"""

RMS = """
import numpy as np

def backward(grad_output, x, weight, eps):
    rstd = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    xhat = x * rstd
    dweight = (grad_output * xhat).sum(axis=0)
    wdy = grad_output * weight
    dx = rstd * (wdy - xhat * (wdy * xhat).mean(axis=-1, keepdims=True))
    return dx, dweight
"""
