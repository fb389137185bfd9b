"""Kernels as statements a template can lay out: what is computed, into what, from what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """`target = code`, or a call that writes in place where there is no target; `note` is said before it."""

    code: str
    target: str = ""
    note: str = ""
