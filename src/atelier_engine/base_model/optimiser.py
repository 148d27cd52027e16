"""Muon for matrices and kernels, Adam for the rest: about half the steps that Adam alone needs.

Muon replaces the momentum of a weight matrix by its nearest orthogonal matrix (a few
Newton-Schulz steps), so that every direction is learnt at the same pace. It suits a run that is
over before Adam's second moments have settled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

# Weights of this many dimensions or more are matrices to Muon; below, they are Adam's.
_MATRIX = 2
# Coefficients of the quintic iteration: steep at zero, so that five steps are enough.
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalised(matrix: torch.Tensor, *, steps: int = 5) -> torch.Tensor:
    """An approximately orthogonal matrix with the row and column spaces of ``matrix``."""
    x: torch.Tensor = matrix.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    result: torch.Tensor = x.mT if tall else x
    return result.float()


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for weights of two or more dimensions, Adam for the others."""

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        *,
        lr: float,
        adam_ratio: float = 0.15,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        plain: Iterable[torch.nn.Parameter] = (),
    ) -> None:
        """``plain`` are matrices better left to Adam: embeddings, and first and last layers."""
        plain_ids = {id(parameter) for parameter in plain}
        every = list(parameters)
        matrices = [p for p in every if p.ndim >= _MATRIX and id(p) not in plain_ids]
        others = [p for p in every if p.ndim < _MATRIX or id(p) in plain_ids]
        groups: list[dict[str, Any]] = [
            {"params": matrices, "muon": True, "ratio": 1.0},
            {"params": others, "muon": False, "ratio": adam_ratio},
        ]
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @override
    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override] # no closure here
        """Apply one update from the gradients; a closure to run again is not supported."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            rate = group["lr"] * group["ratio"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                if group["muon"]:
                    self._muon(parameter, parameter.grad, group, rate)
                else:
                    self._adam(parameter, parameter.grad, rate)

    def _muon(
        self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any], rate: float
    ) -> None:
        state = self.state[parameter]
        if "velocity" not in state:
            state["velocity"] = torch.zeros_like(parameter)
        velocity = state["velocity"]
        velocity.lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(velocity, group["momentum"])
        matrix = ahead.reshape(ahead.shape[0], -1)
        update = orthogonalised(matrix) * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
        parameter.mul_(1 - rate * group["weight_decay"])
        parameter.sub_(update.view(ahead.shape), alpha=rate)

    def _adam(self, parameter: torch.Tensor, gradient: torch.Tensor, rate: float) -> None:
        state = self.state[parameter]
        if "first" not in state:
            state["first"] = torch.zeros_like(parameter)
            state["second"] = torch.zeros_like(parameter)
            state["count"] = torch.zeros(())
        state["count"] += 1
        count = float(state["count"])
        first, second = state["first"], state["second"]
        first.lerp_(gradient, 0.1)
        second.lerp_(gradient.square(), 0.01)
        bottom = (second / (1 - 0.99**count)).sqrt_().add_(1e-8)
        parameter.addcdiv_(first, bottom, value=-rate / (1 - 0.9**count))
