"""Finds the training of a program, layer by layer from the output down, with the faults it has.

The steps of each layer are compared with what nntui makes of it, first without faults, then with
each fault that could be there; what reproduces the numbers is accepted.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from nntui.core.errors import ConfigError
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.presets.sections import read_faults
from nntui.program.recognise.description import DenseLayer, Description, Spot
from nntui.program.recognise.fitting.forced_updates import ForcedUpdates, agree, ratio, spans
from nntui.program.recognise.fitting.optimiser_fit import Keys, OptimiserFit, Rule
from nntui.program.recognise.fitting.round_numbers import digits_of, is_near, written
from nntui.program.recognise.fitting.unmatched import UnmatchedError

DOWN = (
    None,
    "update-before-backprop",
    "error-for-delta",
    "no-weights-in-backprop",
    "penalty-before-update",
)
"""What may be wrong on the way through a layer's weights."""
GRADIENTS = (
    None,
    "outer(delta, a)",
    "dot(delta, a)",
    "outer(error, x)",
    "outer(delta, z)",
    "dot(delta, x)",
    "outer(delta*a*(1 - a), x)",
    "outer(delta*(1 - a^2), x)",
)
"""What may stand in the place of the gradient of a layer's weights."""
SQUARES = {"half-squared-error": 0.5, "squared-error": 1.0}
"""Losses that differ by a factor."""
IMPLICIT = (0.5, 1.0, 2.0)
"""Constants that are part of a formula more often than they are a rate."""
MOST_STARTS = 6
"""Ways to explain the output's weights that are followed down."""


@dataclass(frozen=True)
class Solution:
    """Everything of a preset that decides its updates, as far as it was found."""

    configuration: Configuration
    rule: Rule
    faults: tuple[Keys, ...] = ()
    rate_is_known: bool = False
    """Whether the rate itself was seen, and not only its product with the loss's factor."""


class LayerSearch:
    """Searches the training of ``description``; ``base`` has its data, layers and first parameters.

    ``faults`` are those of the forward pass, which are known already; ``likely`` is a loss that the
    program may minimise.
    """

    def __init__(
        self,
        description: Description,
        base: Configuration,
        faults: Sequence[Keys],
        likely: str,
        seconds: float,
    ) -> None:
        self._description, self._base = description, base
        self._likely, self._forward = likely, list(faults)
        self._updates = ForcedUpdates(description)
        self._few = self._updates.first_of_each(2)
        self._fit = OptimiserFit(self._updates, description)
        self._spans = spans(base)
        self._doubles = any(abs(each.value) == 2.0 for each in description.constants)
        self._last = len(description.layers) - 1
        self._until = time.monotonic() + seconds

    def solve(self, deep: bool) -> Solution:
        """The training; raises UnmatchedError for the layer whose steps nothing reproduces.

        Each layer may have one fault, or ``deep`` any combination.
        """
        first: UnmatchedError | None = None
        try:
            for start in islice(self._outputs(deep), MOST_STARTS):
                try:
                    return self._below(self._with_bias(start, self._last), deep)
                except UnmatchedError as error:
                    first = first or error
        except _LateError as late:
            layer = self._description.layers[late.layer]
            first = first or self._unmatched(layer.weights, layer, "that there was time to try ")
        layer = self._description.layers[self._last]
        raise first or self._unmatched(layer.weights, layer)

    def _below(self, solution: Solution, deep: bool) -> Solution:
        for at in range(self._last - 1, -1, -1):
            solution = self._layer(solution, at, deep)
        return solution

    def _with(self, solution: Solution, *faults: Keys) -> Solution:
        """``solution`` with more faults; raises ConfigError for one that does not fit."""
        return self._renewed(replace(solution, faults=(*solution.faults, *faults)))

    def _renewed(self, solution: Solution) -> Solution:
        """``solution`` with the configuration that follows its rule and its faults."""
        keys = {**solution.rule.keys, "learning_rate": solution.rule.rate}
        configuration = replace(
            solution.configuration,
            training=replace(solution.configuration.training, **keys),
            faults=read_faults([*self._forward, *solution.faults]),
        )
        return replace(solution, configuration=configuration)

    # The output's layer, which tells the loss and the optimiser.

    def _outputs(self, deep: bool) -> Iterator[Solution]:
        """What gives the steps of the output's weights, the most natural first."""
        layer = self._description.layers[self._last]
        part = self._spans[self._last][0]
        if not self._updates.steps[:, part].any():
            raise UnmatchedError(f"{layer.weights[0]} never changes", layer.z)
        losses = list(self._losses())
        is_followed, found = False, False
        for loss in losses:
            self._check_time(self._last)
            solution = self._fitted(loss, [], part)
            is_followed = is_followed or self._fit.is_followed
            if solution is not None:
                found = True
                yield solution
        if self._description.adapts and is_followed and not found:
            said = "its optimiser is neither Adam with its bias correction nor RMSProp"
            raise UnmatchedError(said, layer.step)
        for loss in losses:
            is_differentiated = LOSSES[loss[0]].needs_output is None
            for faults in self._faults(self._last, deep, is_differentiated):
                self._check_time(self._last)
                solution = self._fitted(loss, faults, part) if faults else None
                if solution is not None:
                    yield solution

    def _fitted(self, loss: tuple[str, str], faults: list[Keys], part: slice) -> Solution | None:
        """The rule for a loss and its reduction with ``faults``; None if there is none."""
        training = replace(self._base.training, loss=loss[0], reduction=loss[1])
        try:
            entries = read_faults([*self._forward, *faults])
            configuration = replace(self._base, training=training, faults=entries)
        except ConfigError:
            return None
        rule = self._fit.fit(configuration, part)
        if rule is None or (rule.rate < 0.0 and _has_formula(faults)):
            return None
        return self._started(configuration, rule, faults)

    def _faults(self, at: int, deep: bool, is_differentiated: bool = True) -> Iterator[list[Keys]]:
        """What may be wrong with the gradients of layer ``at``: nothing, one thing, several."""
        slopes = list(self._slopes(at)) if is_differentiated else [[]]
        passing = [[{"name": each, "layers": [at + 1]}] if each else [] for each in DOWN]
        if at == self._last:
            passing = [[]]
        sets = [
            [*slope, *down, *gradient]
            for gradient, down, slope in product(self._gradients(at), passing, slopes)
        ]
        yield from (each for each in sets if len(each) <= 1)
        if deep:
            yield from (each for each in sets if len(each) > 1)

    def _started(self, configuration: Configuration, rule: Rule, faults: list[Keys]) -> Solution:
        if rule.rate < 0.0:
            faults = [*faults, {"name": "wrong-sign", "layers": [self._last]}]
            rule = Rule(rule.keys, -rule.rate)
        rule = Rule(rule.keys, written(rule.rate, self._fit.constants, self._fit.divisors))
        return self._renewed(Solution(configuration, rule, tuple(faults)))

    def _losses(self) -> Iterator[tuple[str, str]]:
        """Losses whose gradients have different directions, the likely one first."""
        output = self._base.layers[-1].activation
        names = ["half-squared-error", "half-absolute-error"]
        for name, loss in LOSSES.items():
            if loss.needs_output == output:
                names.insert(1 if self._likely in SQUARES else 0, name)
        several = len(set(self._updates.samples.tolist())) > 1
        # Epsilon and the bound of a clipping belong to gradients of a certain size.
        exact = self._description.adapts or self._description.clips
        for name in names:
            for option in SQUARES if exact and name in SQUARES else (name,):
                yield option, "mean"
                if several or exact:
                    yield option, "sum"

    # The layers below.

    def _layer(self, solution: Solution, at: int, deep: bool) -> Solution:
        """``solution`` with what gives the steps of layer ``at``."""
        layer = self._description.layers[at]
        first: UnmatchedError | None = None
        for faults in self._faults(at, deep):
            self._check_time(at)
            found = self._with_weights(solution, at, faults)
            if found is None:
                continue
            try:
                return self._with_bias(found, at)
            except UnmatchedError as error:
                if not faults:
                    raise
                first = first or error
        raise first or self._unmatched(layer.weights, layer)

    def _with_weights(self, solution: Solution, at: int, faults: list[Keys]) -> Solution | None:
        """``solution`` with ``faults``, and a factor if it needs one; None if it does not do."""
        try:
            trial = self._with(solution, *faults) if faults else solution
        except ConfigError:
            return None
        part = self._spans[at][0]
        if not self._agrees(trial, part, self._few):
            factor = None if _has_formula(faults) else self._ratio(trial, part)
            if factor is None:
                return None
            fault: Keys = {"name": "wrong-sign", "layers": [at]}
            if not is_near(factor, -1.0):
                number = written(factor, (), self._fit.divisors)
                fault = {"name": "wrong-factor", "layers": [at], "factor": number}
            trial = self._with(trial, fault)
        return trial if self._agrees(trial, part) else None

    def _agrees(
        self, solution: Solution, part: slice, updates: ForcedUpdates | None = None
    ) -> bool:
        updates = updates or self._updates
        made = updates.make(solution.configuration).steps[:, part]
        return agree(updates.steps[:, part], made, updates.theta[:, part])

    def _ratio(self, solution: Solution, part: slice) -> float | None:
        """How many times the steps of ``part`` are those made; None if there is no such number."""
        made = self._few.make(solution.configuration).steps[:, part]
        if ratio(self._few.steps[:, part], made, self._few.theta[:, part]) is None:
            return None
        made = self._updates.make(solution.configuration).steps[:, part]
        return ratio(self._updates.steps[:, part], made, self._updates.theta[:, part])

    def _with_bias(self, solution: Solution, at: int) -> Solution:
        """``solution`` with what gives the steps of the bias of layer ``at``."""
        part = self._spans[at][1]
        if part is None or self._agrees(solution, part):
            return solution
        for name in ("bias-decay", "frozen-bias"):
            trial = self._with(solution, {"name": name, "layers": [at]})
            if self._agrees(trial, part):
                return replace(trial, rate_is_known=trial.rate_is_known or name == "bias-decay")
            if name == "bias-decay" and not solution.rate_is_known:
                for other in self._namings(trial):
                    if self._agrees(other, part):
                        return replace(other, rate_is_known=True)
        layer = self._description.layers[at]
        factor = self._ratio(solution, part)
        if factor is None:
            raise self._unmatched(layer.biases, layer)
        said = f"{layer.biases[0]} makes {factor:.6g} times the step of the rate of the weights"
        raise UnmatchedError(said, layer.z)

    def _slopes(self, at: int) -> Iterator[list[Keys]]:
        """The derivatives that a program may use in layer ``at``, the right one first."""
        own = self._base.layers[at].activation
        yield []
        yield [{"name": "derivative-at-a", "layers": [at]}]
        names = ["identity", *(name for name in ACTIVATIONS if name != "softmax")]
        for of in dict.fromkeys([*names, *self._description.layers[at].slopes, "a", "z"]):
            if of != own:
                yield [{"name": "derivative", "layers": [at], "of": of}]

    def _gradients(self, at: int) -> Iterator[list[Keys]]:
        """Formulas that may stand for the gradient of the weights, the right one first."""
        for of in GRADIENTS:
            yield [{"name": "gradient", "layers": [at], "of": of}] if of else []

    def _unmatched(
        self, names: Sequence[str], layer: DenseLayer, which: str = ""
    ) -> UnmatchedError:
        """No fault gives the steps; where the check has found one, its line is the reason."""
        shown = names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
        for fault in self._description.faults:
            if fault.line is not None and set(fault.parameters) & set(names):
                spot = Spot(fault.file or "", fault.line)
                said = f"no fault of nntui's {which}changes {shown} as this does"
                return UnmatchedError(said, spot)
        said = f"no preset {which}gives the steps of {shown}"
        return UnmatchedError(said, layer.step or layer.z)

    def _check_time(self, at: int) -> None:
        if time.monotonic() > self._until:
            raise _LateError(at)

    # Losses that differ by a factor only.

    def named(self, solution: Solution, report: tuple[str, str] | None) -> Solution:
        """The same updates with the loss, reduction and rate that the program most likely has.

        ``report`` are the loss and the reduction of what is printed.
        """
        if solution.rate_is_known:
            return solution
        constants = [each for each in self._fit.constants if each not in IMPLICIT]
        sizes = set(self._updates.samples.tolist())
        samples = sizes.pop() if len(sizes) == 1 and 1 not in sizes else None

        def likeliness(other: Solution) -> float:
            training, rate = other.configuration.training, other.rule.rate
            score = 4.0 * any(is_near(rate, each) for each in constants) - digits_of(rate)
            # A factor 2 in the program belongs to the slope of its loss.
            if training.loss == "squared-error":
                score += 0.5 if self._doubles else -2.0
            if samples is not None:
                divides = float(samples) in self._fit.constants
                score += 1.0 * (divides == (training.reduction == "mean"))
            if report is not None:
                score += 2.0 * (report[0] == training.loss) + (report[1] == training.reduction)
            return score

        return max(self._namings(solution), key=likeliness)

    def _namings(self, solution: Solution) -> list[Solution]:
        """Squared and half squared errors, sums and means differ by factors of the rate alone."""
        training = solution.configuration.training
        sizes = set(self._updates.samples.tolist())
        count = sizes.pop() if len(sizes) == 1 else None
        if training.optimiser in ("adam", "rmsprop") or training.clip_value or training.clip_norm:
            return [solution]
        family = SQUARES if training.loss in SQUARES else {training.loss: 1.0}
        found = []
        for loss, size in family.items():
            for reduction in ("mean", "sum") if count != 1 else ("mean",):
                factor = size / family[training.loss]
                if reduction != training.reduction:
                    if count is None:
                        continue
                    factor *= count if reduction == "sum" else 1.0 / count
                rate = written(solution.rule.rate / factor, self._fit.constants, self._fit.divisors)
                keys = dict(solution.rule.keys)
                for name in ("l1", "l2"):
                    if name in keys:
                        keys[name] = written(keys[name] * factor, self._fit.constants)
                changed = replace(training, loss=loss, reduction=reduction)
                configuration = replace(solution.configuration, training=changed)
                other = replace(solution, configuration=configuration, rule=Rule(keys, rate))
                found.append(self._renewed(other))
        return found


def _has_formula(faults: Sequence[Keys]) -> bool:
    """Whether one is a formula of the program, which needs no factor beside it."""
    return any(each["name"] == "derivative" and each["of"] not in ACTIVATIONS for each in faults)


class _LateError(Exception):
    """The time is up, in the middle of a layer."""

    def __init__(self, layer: int) -> None:
        super().__init__(layer)
        self.layer = layer


def merged_faults(faults: Sequence[Keys], layers: int) -> list[Any]:
    """``faults`` with those of several layers joined; a name alone where all layers have it."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for each in faults:
        rest = tuple(sorted((key, value) for key, value in each.items() if key != "layers"))
        found.setdefault(rest, []).extend(each["layers"])
    made: list[Any] = []
    for rest, where in found.items():
        keys = dict(rest)
        name = keys.pop("name")
        numbers = sorted(set(where))
        # The first layer passes no gradient down, so that a fault there has no effect.
        passing = name in DOWN
        if numbers == list(range(layers)) or (passing and numbers == list(range(1, layers))):
            made.append({"name": name, **keys} if keys else name)
        else:
            made.append({"name": name, "layers": numbers, **keys})
    return made
