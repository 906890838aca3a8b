"""Optimisers and learning rates: torch.optim's names, defaults and order of operations, one parameter at a time.

    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    for x, y in data:
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()

An optimiser is an update rule: from a parameter's number and its gradient to the new number. The rules are those of
`_single_tensor_sgd` and `_single_tensor_adam` (torch/optim/sgd.py, torch/optim/adam.py), which PyTorch uses on the
CPU, with its kernels' order of operations. They agree with PyTorch to the bit where its vectorised kernels, which
fuse multiplication and addition, are switched off (ATEN_CPU_CAPABILITY=default).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from minigrad.engine import NO_GRAD, Value
from minigrad.ieee import divide, maximum, sqrt
from minigrad.rules import PARAMETRISED

lerp, addcmul, addcdiv = (PARAMETRISED[op].forward for op in ("lerp", "addcmul", "addcdiv"))

Group = dict[str, Any]
State = dict[str, float]
Update = Callable[[float, float, State], float]


class Optimizer:
    """Parameters in groups, each group with its own settings. A subclass says what an update is.

    params    Values, or dicts with "params" and the settings that differ from `defaults`
    defaults  settings by name

    `param_groups` is that list of dicts, filled up; settings may be changed there between steps. `state` holds
    what a rule remembers of each parameter. Raises TypeError for something that is no collection of Values, for a
    set of them in a group and for settings that are no numbers; ValueError when there is no parameter, when one is
    named twice or was made by an op: its number would be computed anew and the update lost.
    """

    def __init__(self, params: Iterable[Value] | Iterable[Mapping[str, Any]], defaults: Group) -> None:
        if isinstance(params, (Value, str, Mapping)) or not isinstance(params, Iterable):
            raise TypeError(
                f"an optimiser takes a list of Values, as model.parameters() gives it; got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state: defaultdict[Value, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        items: list[Any] = list(params)
        if not items:
            raise ValueError("the list of parameters is empty: there is nothing to optimise")
        if not isinstance(items[0], Mapping):
            items = [{"params": items}]
        for item in items:
            self.add_param_group(item)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """One more group: a dict with "params" and the settings that differ from the defaults. Errors as above."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f'a group of parameters is a dict with "params", got {group!r}')
        given = group["params"]
        if isinstance(given, (set, frozenset)):
            raise TypeError("parameters need an order, and a set has none: give a list")
        full = {**self.defaults, **group, "params": [given] if isinstance(given, Value) else list(given)}
        known = {parameter for other in self.param_groups for parameter in other["params"]}
        for parameter in full["params"]:
            _check_parameter(parameter, known)
            known.add(parameter)
        self.check(full)
        self.param_groups.append(full)

    def check(self, group: Group) -> None:
        """Raise TypeError for settings that are no numbers, ValueError for numbers that make no sense."""
        for name in ("lr", "momentum", "weight_decay", "eps", "dampening"):
            if name not in group:
                continue
            if not isinstance(group[name], (int, float)):
                raise TypeError(f"{name} must be a number, got {group[name]!r}")
            if name != "dampening" and not group[name] >= 0.0:
                raise ValueError(f"{name} must be 0 or more, got {group[name]}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every gradient. With set_to_none=False make it 0 instead: `step` then still updates the parameter,
        by weight decay and momentum."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = NO_GRAD
                elif _has_grad(parameter):
                    parameter.grad = 0.0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. `closure` is called before, and its result returned."""
        result = closure() if closure is not None else None
        for group in self.param_groups:
            update, uphill = self.rule(group), group["maximize"]
            for parameter in group["params"]:
                if _has_grad(parameter):
                    gradient = -parameter.grad if uphill else parameter.grad
                    parameter.data = update(parameter.data, gradient, self.state[parameter])
        return result

    def state_dict(self) -> dict[str, Any]:
        """What is remembered, and the settings, in PyTorch's layout: {"state": {parameter: {name: number}},
        "param_groups": [settings]}, parameters by their number. Copies: later steps do not change it."""
        number = {parameter: n for n, parameter in enumerate(self._parameters())}
        return {
            "state": {number[parameter]: dict(held) for parameter, held in self.state.items() if held},
            "param_groups": [
                {**group, "params": [number[parameter] for parameter in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from `state_dict()` of an optimiser over as many parameters, here or in PyTorch, if its parameters are
        scalars there. Its settings are taken over with what it remembers; settings that only PyTorch has are left out.

        Raises ValueError for other numbers of groups or parameters, and for settings that make no sense; nothing is
        changed then.
        """
        saved = list(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError(
                f"the state has {len(saved)} groups of parameters, this optimiser {len(self.param_groups)}"
            )
        groups: list[Group] = []
        place: dict[Any, Value] = {}
        for i, (group, kept) in enumerate(zip(self.param_groups, saved, strict=True)):
            mine, theirs = group["params"], kept["params"]
            if len(mine) != len(theirs):
                raise ValueError(
                    f"group {i} has {len(theirs)} parameters in the state, {len(mine)} in this optimiser"
                )
            place.update(zip(theirs, mine, strict=True))
            known = {name: kept[name] for name in (*self.defaults, "initial_lr") if name in kept}
            groups.append({**group, **known, "params": mine})
            self.check(groups[-1])
        held = {
            place[n]: {name: float(x) for name, x in of.items() if x is not None}
            for n, of in state_dict["state"].items()
        }
        self.param_groups[:] = groups
        self.state = defaultdict(dict, held)

    def _parameters(self) -> Iterator[Value]:
        for group in self.param_groups:
            yield from group["params"]

    def rule(self, group: Group) -> Update:
        """The update under a group's settings: from a parameter's number p, its gradient g and what is remembered of
        it, to its new number."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent: `p - lr*g`, with momentum `p - lr*b` where `b = momentum*b + (1 - dampening)*g`.

    The first b is g. Nesterov's variant goes by `g + momentum*b`. weight_decay adds weight_decay*p to g; maximize
    goes uphill. Raises ValueError for negative settings, and for nesterov without momentum or with dampening.
    """

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def check(self, group: Group) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")

    def rule(self, group: Group) -> Update:
        lr: float = group["lr"]
        momentum, decay = group["momentum"], group["weight_decay"]
        taken, nesterov = 1 - group["dampening"], group["nesterov"]

        def update(p: float, g: float, state: State) -> float:
            if decay != 0:
                g += decay * p
            if momentum != 0:
                b = state.get("momentum_buffer")
                b = state["momentum_buffer"] = g if b is None else b * momentum + taken * g
                g = g + momentum * b if nesterov else b
            return p + -lr * g

        return update


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015): steps of about lr, along running means of the gradient and of its square.

    betas         how much of either mean is kept in a step, each in [0, 1)
    eps           added to the root of the mean square, which is a divisor
    weight_decay  adds weight_decay*p to the gradient
    amsgrad       divide by the largest mean square so far (Reddi, Kale & Kumar 2018)
    maximize      go uphill

    Raises ValueError for negative settings and for betas outside their range.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def check(self, group: Group) -> None:
        super().check(group)
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or not all(isinstance(beta, (int, float)) for beta in betas):
            raise TypeError(f"betas must be two numbers, as in (0.9, 0.999), got {betas!r}")
        if len(betas) != 2:
            raise ValueError(f"betas must be two numbers, as in (0.9, 0.999), got {betas!r}")
        for i, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"betas[{i}] must be at least 0 and less than 1, got {beta}")

    def rule(self, group: Group) -> Update:
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        decay, amsgrad = group["weight_decay"], group["amsgrad"]

        def update(p: float, g: float, state: State) -> float:
            if decay != 0:
                if self.decoupled:
                    p *= 1 - lr * decay
                else:
                    g += decay * p
            step = state["step"] = state.get("step", 0.0) + 1.0
            mean = state["exp_avg"] = lerp(state.get("exp_avg", 0.0), g, 1 - beta1)
            square = state["exp_avg_sq"] = addcmul(state.get("exp_avg_sq", 0.0) * beta2, g, g, 1 - beta2)
            if amsgrad:
                square = state["max_exp_avg_sq"] = maximum(state.get("max_exp_avg_sq", 0.0), square)
            # Both means start at 0 and are too small at first, by these factors.
            correction1, correction2 = 1 - beta1**step, 1 - beta2**step
            root = divide(sqrt(square), correction2**0.5) + eps
            return addcdiv(p, mean, root, -(lr / correction1))

        return update


class AdamW(Adam):
    """Adam whose weight decay shrinks p by lr*weight_decay before the step, and leaves the means alone
    (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


def _has_grad(parameter: Value) -> bool:
    return parameter.grad is not NO_GRAD and parameter.grad is not None


def _check_parameter(parameter: object, known: set[Value]) -> None:
    if not isinstance(parameter, Value):
        raise TypeError(f"parameters are Values, got {parameter!r} of type {type(parameter).__name__}")
    if parameter.op:
        raise ValueError(
            f"a parameter must be a leaf, but {parameter!r} was computed: optimise what it was made of"
        )
    if parameter in known:
        raise ValueError(f"{parameter!r} is in the list twice: it would be updated twice in a step")


# Learning rates -----------------------------------------------------------------------------------------------


class LRScheduler:
    """Sets the optimiser's learning rates for the next epoch, each time `step()` is called after its own `step()`.

    `last_epoch` counts these calls. Rates follow PyTorch's recursions, from one epoch to the next, and so its
    rounding; a subclass gives the factor or the formula.

    last_epoch  where to go on, of an optimiser whose state was loaded; -1: begin, its rates being the first ones

    Raises TypeError for something that is no optimiser, KeyError for one that no schedule has begun with yet, and that
    is to go on with one.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a scheduler needs an optimiser, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self.base_lrs: list[float] = []
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"initial_lr is not in param_groups[{i}]: load the state of the optimiser that was scheduled"
                )
            self.base_lrs.append(group["initial_lr"])
        self.last_epoch = last_epoch
        self._begins = True
        self.step()
        self._begins = False

    def step(self) -> None:
        """Begin the next epoch."""
        self.last_epoch += 1
        for i, (group, base) in enumerate(zip(self.optimizer.param_groups, self.base_lrs, strict=True)):
            group["lr"] = self.rate(group["lr"], base, i)
        self._last_lr: list[float] = [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as the last step has set it."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, by PyTorch's names; a function cannot be kept, and is None."""
        return {name: x for name, x in vars(self).items() if name not in ("optimizer", "_begins")}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from `state_dict()` of a schedule of this kind, here or in PyTorch. The rates are the optimiser's: load
        its state, too. Raises KeyError for a state that lacks something."""
        mine = self.state_dict()
        if lacking := [name for name in mine if name not in state_dict]:
            raise KeyError(f"the state of a {type(self).__name__} has no {', '.join(lacking)}")
        vars(self).update({name: state_dict[name] for name in mine})

    def rate(self, lr: float, base: float, i: int) -> float:
        """The rate of group i in epoch `last_epoch`: `lr` was it in the epoch before, `base` at the start."""
        raise NotImplementedError


class StepLR(LRScheduler):
    """The rate times gamma, every step_size epochs. Raises ValueError for a step_size of 0."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size == 0:
            raise ValueError("step_size is the number of epochs between two changes, and must not be 0")
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, i: int) -> float:
        return lr * self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else lr


class ExponentialLR(LRScheduler):
    """The rate times gamma, every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, i: int) -> float:
        return lr if self._begins else lr * self.gamma


class LambdaLR(LRScheduler):
    """The first rate times lr_lambda(epoch): one function, or one for each group (else ValueError)."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", ()))
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups:
            raise ValueError(
                f"{len(self.lr_lambdas)} functions for {groups} groups of parameters: give one for each"
            )
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"lr_lambdas": [_held(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """The functions stay those of this schedule; objects that are called get the attributes that they had."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        self.lr_lambdas = functions
        for function, held in zip(functions, state_dict["lr_lambdas"], strict=True):
            if held is not None:
                vars(function).update(held)

    def rate(self, lr: float, base: float, i: int) -> float:
        return base * self.lr_lambdas[i](self.last_epoch)


def _held(function: Callable[[int], float]) -> dict[str, Any] | None:
    """The attributes of an object that is called; None of a function."""
    return None if isinstance(function, FunctionType) else dict(vars(function))


class CosineAnnealingLR(LRScheduler):
    """Down along half a cosine in T_max epochs, from the first rate to eta_min; then up again, and so on
    (Loshchilov & Hutter 2017, without restarts). Raises ValueError for a T_max of 0."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max == 0:
            raise ValueError("T_max is the number of epochs on the way down, and must not be 0")
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, lr: float, base: float, i: int) -> float:
        epoch, half = self.last_epoch, self.T_max
        if self._begins:
            return lr
        if (epoch - 1 - half) % (2 * half) == 0:  # the epoch after the lowest, where the factor below is 0/0
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / half)) / 2
        fall = (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half))
        return fall * (lr - self.eta_min) + self.eta_min
