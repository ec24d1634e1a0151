"""Finds the training of a program, layer by layer from the output down, with the faults it has.

The steps of each layer are compared with what nntui makes of it, first without faults, then with
each fault that could be there; what reproduces the numbers is accepted.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nntui.core.errors import ConfigError
from nntui.core.parts.activations import ACTIVATIONS
from nntui.core.parts.losses import LOSSES
from nntui.core.settings.configuration import Configuration
from nntui.presets.sections import read_faults
from nntui.program.recognise.description import Description
from nntui.program.recognise.forced_updates import ForcedUpdates, agree, ratio, spans
from nntui.program.recognise.optimiser_fit import Keys, OptimiserFit, Rule
from nntui.program.recognise.round_numbers import digits_of, is_near, written
from nntui.program.recognise.unmatched import UnmatchedError

Array = np.ndarray

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
)
"""What may stand in the place of a layer's gradient."""
SQUARES = {"half-squared-error": 0.5, "squared-error": 1.0}
"""Losses that differ by a factor."""


@dataclass
class Solution:
    """Everything of a preset that decides its updates, as it was found."""

    configuration: Configuration
    rule: Rule
    faults: list[Keys] = field(default_factory=list)
    rate_is_known: bool = False
    """Whether the rate itself was seen, and not only its product with the loss's factor."""


class LayerSearch:
    """Searches the training of ``description``; ``base`` has its data, layers and first parameters.

    ``faults`` are those of the forward pass, which are known already.
    """

    def __init__(
        self,
        description: Description,
        base: Configuration,
        faults: Sequence[Keys],
        seconds: float,
    ) -> None:
        self._description, self._base = description, base
        self._forward = list(faults)
        self.updates = ForcedUpdates(description)
        self._fit = OptimiserFit(self.updates, description)
        self._spans = spans(base)
        self._doubles = any(abs(each.value) == 2.0 for each in description.constants)
        self._last = len(description.layers) - 1
        self._until = time.monotonic() + seconds

    def solve(self) -> Solution:
        """The training; raises UnmatchedError for the layer whose steps nothing reproduces."""
        solution = self._output()
        for at in range(self._last, -1, -1):
            if at < self._last:
                self._weights(solution, at)
            self._bias(solution, at)
        return solution

    def configuration(
        self, training: Keys, faults: Sequence[Keys], layers: Sequence[Keys] | None = None
    ) -> Configuration:
        """The base with other training entries, faults, and kinks."""
        changed = replace(self._base, training=replace(self._base.training, **training))
        if layers is not None:
            kinds = tuple(
                replace(own, **keys) for own, keys in zip(changed.layers, layers, strict=True)
            )
            changed = replace(changed, layers=kinds)
        return replace(changed, faults=read_faults([*self._forward, *faults]))

    # The output's layer, which tells the loss and the optimiser.

    def _output(self) -> Solution:
        layer = self._description.layers[self._last]
        part = self._spans[self._last][0]
        if not self.updates.steps[:, part].any():
            raise UnmatchedError("the weights of the output never change", layer.z)
        for gradient in GRADIENTS:
            for loss, reduction in self._losses():
                entropy = LOSSES[loss].needs_output is not None
                for faults in [[]] if entropy else self._slopes(self._last):
                    self._check_time()
                    if gradient is not None:
                        fault = {"name": "gradient", "layers": [self._last], "of": gradient}
                        faults = [*faults, fault]
                    try:
                        configuration = self.configuration(
                            {"loss": loss, "reduction": reduction}, faults
                        )
                    except ConfigError:
                        continue
                    rule = self._fit.fit(configuration, part)
                    if rule is not None:
                        return self._started(configuration, rule, faults)
        raise UnmatchedError("no rule gives the steps of the output's weights", layer.z)

    def _started(self, configuration: Configuration, rule: Rule, faults: list[Keys]) -> Solution:
        if rule.rate < 0.0:
            faults = [*faults, {"name": "wrong-sign", "layers": [self._last]}]
            rule = Rule(rule.keys, -rule.rate)
        solution = Solution(configuration, rule, faults)
        self._renew(solution)
        return solution

    def _losses(self) -> Iterator[tuple[str, str]]:
        """Losses whose gradients have different directions, the judged one first."""
        output = self._base.layers[-1].activation
        names = ["half-squared-error", "half-absolute-error"]
        for name, loss in LOSSES.items():
            if loss.needs_output == output:
                entropy_first = self._description.loss != "squared-error"
                names.insert(0 if entropy_first else 1, name)
        several = len(set(self.updates.samples.tolist())) > 1
        exact = self._description.adapts  # epsilon is added to gradients of a certain size
        for name in names:
            options = [name]
            if exact and name == "half-squared-error":
                options = ["squared-error", name]
            for option in options:
                yield option, "mean"
                if several or exact:
                    yield option, "sum"

    # The layers below.

    def _weights(self, solution: Solution, at: int) -> None:
        """Find what gives the steps of the weights of layer ``at``."""
        part = self._spans[at][0]
        layer = self._description.layers[at]
        for gradient in GRADIENTS[:1] if self._is_late() else GRADIENTS:
            for down in DOWN:
                for slopes in self._slopes(at):
                    self._check_time()
                    faults = list(slopes)
                    if down is not None:
                        faults.append({"name": down, "layers": [at + 1]})
                    if gradient is not None:
                        faults.append({"name": "gradient", "layers": [at], "of": gradient})
                    if self._accept(solution, at, part, faults):
                        return
        raise UnmatchedError("nothing gives the steps of these weights", layer.z)

    def _accept(self, solution: Solution, at: int, part: slice, faults: list[Keys]) -> bool:
        trial = Solution(solution.configuration, solution.rule, [*solution.faults, *faults])
        try:
            self._renew(trial)
        except ConfigError:
            return False
        made = self.updates.make(trial.configuration).steps[:, part]
        steps, theta = self.updates.steps[:, part], self.updates.theta[:, part]
        if agree(steps, made, theta):
            solution.faults, solution.configuration = trial.faults, trial.configuration
            return True
        factor = ratio(steps, made, theta)
        if factor is None or not made.any():
            return False
        if is_near(factor, -1.0):
            fault: Keys = {"name": "wrong-sign", "layers": [at]}
        else:
            number = written(factor, (), self._fit.divisors)
            fault = {"name": "wrong-factor", "layers": [at], "factor": number}
        trial.faults.append(fault)
        self._renew(trial)
        made = self.updates.make(trial.configuration).steps[:, part]
        if agree(steps, made, theta):
            solution.faults, solution.configuration = trial.faults, trial.configuration
            return True
        return False

    # Losses that differ by a factor only.

    def named(self, solution: Solution, report: tuple[str, str] | None) -> Solution:
        """The same updates with the loss, reduction and rate that the program most likely has.

        ``report`` are the loss and the reduction of what is printed.
        """
        if solution.rate_is_known:
            return solution
        constants = [each for each in self._fit.constants if each not in (0.5, 1.0, 2.0)]

        sizes = set(self.updates.samples.tolist())
        samples = sizes.pop() if len(sizes) == 1 and 1 not in sizes else None

        def likeliness(other: Solution) -> float:
            training, rate = other.configuration.training, other.rule.rate
            score = 4.0 * any(is_near(rate, each) for each in constants) - digits_of(rate)
            # A factor 2 in the program belongs to the slope of its loss.
            score += 0.5 * (training.loss == "squared-error" and self._doubles)
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
        samples = set(self.updates.samples.tolist())
        count = samples.pop() if len(samples) == 1 else None
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
                rate = solution.rule.rate / factor
                rate = written(rate, self._fit.constants, self._fit.divisors)
                keys = dict(solution.rule.keys)
                for name in ("l1", "l2"):
                    if name in keys:
                        keys[name] = written(keys[name] * factor, self._fit.constants)
                changed = replace(training, loss=loss, reduction=reduction)
                configuration = replace(solution.configuration, training=changed)
                other = Solution(configuration, Rule(keys, rate), solution.faults)
                self._renew(other)
                found.append(other)
        return found

    def _bias(self, solution: Solution, at: int) -> None:
        part = self._spans[at][1]
        if part is None:
            return
        steps, theta = self.updates.steps[:, part], self.updates.theta[:, part]
        made = self.updates.make(solution.configuration).steps[:, part]
        if agree(steps, made, theta):
            return
        for name in ("bias-decay", "frozen-bias"):
            trial = Solution(
                solution.configuration,
                solution.rule,
                [*solution.faults, {"name": name, "layers": [at]}],
            )
            self._renew(trial)
            if agree(steps, self.updates.make(trial.configuration).steps[:, part], theta):
                solution.faults, solution.configuration = trial.faults, trial.configuration
                return
            if name == "bias-decay" and not solution.rate_is_known:
                for other in self._namings(trial):
                    made = self.updates.make(other.configuration).steps[:, part]
                    if agree(steps, made, theta):
                        solution.rule, solution.configuration = other.rule, other.configuration
                        solution.faults, solution.rate_is_known = other.faults, True
                        return
        layer = self._description.layers[at]
        factor = ratio(steps, made, theta)
        if factor is not None:
            raise UnmatchedError(
                f"the bias makes {factor:.6g} times the step that the rate of the weights gives",
                layer.z,
            )
        raise UnmatchedError("nothing gives the steps of this bias", layer.z)

    def _slopes(self, at: int) -> Iterator[list[Keys]]:
        """The derivatives that a program may use in layer ``at``, the right one first."""
        yield []
        layer = self._base.layers[at]
        own = layer.activation
        yield [{"name": "derivative-at-a", "layers": [at]}]
        names = ["identity", *(name for name in ACTIVATIONS if name not in (own, "softmax"))]
        texts = [text for text in self._description.layers[at].slopes if text not in ("z", "a")]
        for of in dict.fromkeys([*names, *texts, "a", "z"]):
            if of != own:
                yield [{"name": "derivative", "layers": [at], "of": of}]

    def _renew(self, solution: Solution) -> None:
        """Make the configuration of ``solution`` follow its rule and its faults."""
        old = solution.configuration.training
        keys = {**solution.rule.keys, "learning_rate": solution.rule.rate}
        training = replace(old, **keys)
        solution.configuration = replace(
            solution.configuration,
            training=training,
            faults=read_faults([*self._forward, *solution.faults]),
        )

    def _is_late(self) -> bool:
        return time.monotonic() > self._until

    def _check_time(self) -> None:
        if self._is_late():
            raise UnmatchedError("there was no time to try every fault")


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
