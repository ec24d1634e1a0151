"""Evidence: quantities of an observed run, computed when a rule first asks for them."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nntui.core.engine.data import target_warnings
from nntui.core.engine.network import Layout, Parameters, activation_of
from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.engine.state import State
from nntui.core.engine.trainer import learning_rate
from nntui.core.engine.update import optimiser_of
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array, Tape
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.finding import PROOF, Finding
from nntui.diagnosis.measures.floors import Cost
from nntui.diagnosis.measures.landscape import Landscape
from nntui.diagnosis.measures.progress import Progress, progress
from nntui.diagnosis.observation import Observation
from nntui.diagnosis.subject import LayerValues, Subject

MOST_BATCHES = 4
"""Batches whose curvature is computed separately, if an update uses few of the rows."""
MOST_ROWS = 10_000
"""Measurements use at most this many training rows, evenly spaced."""
LOOKS = 5
"""Stored states examined by rules that need the past."""

EXPLAINS, FORBIDS = 1.5, 2.0
"""Weights of certificates: learning is impossible, and the goal is impossible."""
FELT = 0.01
"""A code fault that changes steps by less than this share is no cause until an experiment says
so.  Our own choice."""
SLACK = 0.9
"""A loss below this share of a floor refutes the floor."""


class Evidence:
    """An observation as the rules see it, independent of how the program works inside."""

    def __init__(
        self, subject: Subject, observation: Observation, deadline: Deadline = NEVER
    ) -> None:
        self.subject, self.observation, self.deadline = subject, observation, deadline
        self.stated: Configuration = subject.stated
        self.x, self.y = subject.data.x, subject.data.y
        self.layout = Layout.of(self.stated)
        step = -(-self.x.shape[1] // MOST_ROWS)
        self.sample_x, self.sample_y = self.x[:, ::step], self.y[:, ::step]
        """The rows that are measured, (inputs or outputs, samples)."""
        self.cut_short = False
        """Whether a rule was left out because the deadline had passed."""

    def has_time(self) -> bool:
        """Whether there is time for another rule; if not, `cut_short` is set."""
        self.cut_short |= self.deadline.passed
        return not self.cut_short

    @cached_property
    def progress(self) -> Progress:
        """Whether the run is failing."""
        return progress(
            self.observation.losses,
            self.observation.preset.goal,
            self.observation.state.divergence is not None,
            self.observation.state.epoch,
            drawn=self.stated.reported_samples < self.x.shape[1],
        )

    @property
    def epochs_per_report(self) -> float:
        """Finished epochs for each loss that was reported."""
        return self.observation.state.epoch / max(len(self.observation.losses), 1)

    @cached_property
    def cost(self) -> Cost:
        """The reported loss as a function of outputs."""
        units = self.subject.data.units if is_unscaled(self.stated) else None
        return Cost(self.stated.report, self.stated.reported_samples, units)

    @cached_property
    def has_floors(self) -> bool:
        """Whether least losses are known; they are not for targets that the loss cannot take."""
        return self.cost.has_floors and not target_warnings(self.stated)

    @cached_property
    def finite(self) -> tuple[State, ...]:
        """The stored states with finite parameters; the last is at or near the cursor."""
        found = tuple(each for each in self.observation.kept if np.isfinite(each.theta).all())
        return found or (self.observation.kept[0],)

    @property
    def start(self) -> State:
        """The state at update 0."""
        return self.finite[0]

    @property
    def now(self) -> State:
        """The last state with finite parameters."""
        return self.finite[-1]

    @cached_property
    def looks(self) -> tuple[State, ...]:
        """Up to `LOOKS` evenly spaced finite states, including the first and the last."""
        places = np.unique(np.linspace(0, len(self.finite) - 1, LOOKS).astype(int))
        return tuple(self.finite[place] for place in places)

    def parameters(self, state: State) -> Parameters:
        """W and b of each layer at ``state``."""
        return self.layout.views(state.theta)

    @cached_property
    def layers(self) -> list[LayerValues]:
        """The forward pass of the sampled rows at `now`."""
        return self.values(self.now)

    def values(self, state: State) -> list[LayerValues]:
        """The program's forward pass of the sampled rows with the parameters of ``state``."""
        with np.errstate(all="ignore"):
            return self.subject.forward(state.theta, self.sample_x)

    def still_units(self, state: State) -> list[npt.NDArray[np.bool_]]:
        """Per layer and unit, whether nothing moves it: on every training row at ``state`` its
        stated slope is 0 and its value the same.

        Rows are processed in parts, until no such unit is left.
        """
        if state.update not in self._still:
            still = [np.ones(layer.units, dtype=np.bool_) for layer in self.stated.layers]
            value = [np.full((layer.units, 1), np.nan) for layer in self.stated.layers]
            for begin in range(0, self.x.shape[1], MOST_ROWS):
                if not any(each.any() for each in still):
                    break
                part = self.x[:, begin : begin + MOST_ROWS]
                with np.errstate(all="ignore"):
                    layers = self.subject.forward(state.theta, part)
                for layer, values in enumerate(layers):
                    value[layer] = values.a[:, :1] if begin == 0 else value[layer]
                    flat = (self.slope(layer, values) == 0.0) & (values.a == value[layer])
                    still[layer] &= flat.all(axis=1)
            self._still[state.update] = still
        return self._still[state.update]

    @cached_property
    def _still(self) -> dict[int, list[npt.NDArray[np.bool_]]]:
        return {}

    @property
    def output_slope(self) -> Array:
        """The stated derivative at each z of the output in `layers`, (outputs, samples)."""
        return self.slope(len(self.stated.layers) - 1, self.layers[-1])

    def slope(self, layer: int, values: LayerValues) -> Array:
        """The stated derivative at each z of a layer's ``values``, (units, samples)."""
        tape, slope = Tape(), np.empty_like(values.z)
        a = np.empty_like(values.z)
        function = activation_of(self.stated.layers[layer])
        function.forward(tape, values.z, a)
        function.derivative(tape, values.z, a, slope)
        with np.errstate(all="ignore"):
            tape.play()
        return slope

    @cached_property
    def landscape(self) -> Landscape:
        """The stated loss over all training rows."""
        return Landscape(self.stated, self.subject.data)

    @cached_property
    def _batches(self) -> list[Landscape]:
        """The same over some single batches, where these are small."""
        rows, size = self.x.shape[1], self.stated.batch_size
        if size > rows // 2:
            return []
        starts = np.linspace(0, rows - size, min(MOST_BATCHES, rows // size)).astype(int)
        return [
            Landscape(self.stated, self.subject.data, np.arange(at, at + size)) for at in starts
        ]

    @property
    def summed(self) -> int:
        """The factor from the mean loss to the loss of an update: its rows if the loss is a sum."""
        return self.stated.batch_size if self.stated.training.reduction == "sum" else 1

    def curvature(self, state: State) -> float:
        """The largest curvature of the loss over all rows or over a single batch."""
        known = self._curvatures
        if state.update not in known:
            landscapes: Iterable[Landscape] = [self.landscape, *self._batches]
            known[state.update] = self.summed * max(
                each.curvature(state.theta) for each in landscapes
            )
        return known[state.update]

    @cached_property
    def _curvatures(self) -> dict[int, float]:
        return {}

    def rate(self, state: State) -> float:
        """The effective learning rate at ``state``: of a gradient that stays the same."""
        rate = learning_rate(self.stated, state.epoch)
        if self.scales_itself:
            return rate
        known = optimiser_of(self.stated).parameters
        return rate * (1.0 - known.get("dampening", 0.0)) / (1.0 - known["momentum"])

    def clipped_to(self, state: State) -> float:
        """The share of the full gradient's norm that is left after clipping."""
        training = self.stated.training
        whole = gradient = self.summed * self.landscape.gradient(state.theta)
        if training.clip_value is not None:
            gradient = np.clip(gradient, -training.clip_value, training.clip_value)
        left, norm = float(np.linalg.norm(gradient)), float(np.linalg.norm(whole))
        if training.clip_norm is not None:
            left = min(left, training.clip_norm)
        return left / norm if norm > 0.0 else 1.0

    @property
    def scales_itself(self) -> bool:
        """Whether the optimiser's step size is independent of the gradient's size."""
        return self.stated.training.optimiser in ("adam", "rmsprop")

    def gradients(self, state: State) -> list[float]:
        """The norm of the stated gradient of each layer."""
        gradient = self.landscape.gradient(state.theta)
        return [float(np.linalg.norm(gradient[span])) for span in self.layout.spans()]

    @property
    def hidden(self) -> range:
        """The numbers of the hidden layers."""
        return range(len(self.stated.layers) - 1)


def forbids(finding: Finding) -> bool:
    """Whether ``finding`` proves that the goal lies below a floor of the loss."""
    rule = finding.rule
    return rule.klass == PROOF and not rule.is_code_fault and finding.weight >= FORBIDS


def explained(evidence: Evidence, floor: float) -> float:
    """How much of the failure a floor explains: `FORBIDS` if the goal lies below it."""
    goal = evidence.observation.preset.goal.loss
    return FORBIDS if floor > goal else share_of_loss(evidence, floor)


def share_of_loss(evidence: Evidence, floor: float) -> float:
    """The share of the last reported loss that lies below ``floor``; 0 if no finite one is known.

    More than 1 where the loss is reported of other parameters than those that have the floor.
    """
    losses = evidence.observation.losses
    loss = float(losses[-1]) if len(losses) else np.inf
    return floor / loss if 0.0 < loss < np.inf else 0.0


def refuted(evidence: Evidence, floor: float) -> bool:
    """Whether a reported loss lies too far below ``floor`` for the floor to hold.

    A loss accumulated while parameters change may lie a little below, a misprinted one anywhere.
    """
    losses = evidence.observation.losses
    return bool(len(losses)) and bool(np.fmin.reduce(losses) < SLACK * floor)


def spread(evidence: Evidence) -> float:
    """The loss of the best constant output, to which floors are compared."""
    constant = evidence.cost.constant(evidence.y)
    if constant > 0.0:
        return constant
    return evidence.cost.of(np.zeros_like(evidence.y), evidence.y)


def against_goal(evidence: Evidence, floor: float) -> str:
    """The floor beside the goal, in words."""
    return (
        f"the loss cannot fall below {floor:.4g} (goal {evidence.observation.preset.goal.loss:g})"
    )
