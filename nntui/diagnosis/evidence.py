"""What the rules look at: a case through its subject, each quantity computed when asked for."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nntui.core.engine.network import Layout, Parameters, activation_of
from nntui.core.engine.state import State
from nntui.core.engine.trainer import learning_rate
from nntui.core.settings.configuration import Configuration
from nntui.core.tape import Array, Tape
from nntui.diagnosis.deadline import NEVER, Deadline
from nntui.diagnosis.measures.floors import Cost
from nntui.diagnosis.measures.landscape import Landscape
from nntui.diagnosis.measures.progress import Progress, progress
from nntui.diagnosis.observation import Case
from nntui.diagnosis.subject import LayerValues, Subject

MOST_BATCHES = 4
"""Batches of which the curvature is taken apart, where an update sees few rows."""
MOST_ROWS = 10_000
"""Of more training rows, that many evenly chosen ones stand for all in what is measured."""
LOOKS = 5
"""Kept states that are looked at where a rule asks for the past."""


class Evidence:
    """A case as the rules see it; nothing here knows what the program is like inside."""

    def __init__(self, subject: Subject, case: Case, deadline: Deadline = NEVER) -> None:
        self.subject, self.case, self.deadline = subject, case, deadline
        self.stated: Configuration = subject.stated
        self.x, self.y = subject.data.x, subject.data.y
        self.layout = Layout.of(self.stated)
        step = -(-self.x.shape[1] // MOST_ROWS)
        self.sample_x, self.sample_y = self.x[:, ::step], self.y[:, ::step]
        """The rows that are measured: all of them, or `MOST_ROWS` of more."""
        self.cut_short = False
        """Whether a rule was left out because the deadline had passed."""

    def has_time(self) -> bool:
        """Whether another rule may be begun; a rule that may not leaves the diagnosis cut short."""
        self.cut_short |= self.deadline.passed
        return not self.cut_short

    @cached_property
    def progress(self) -> Progress:
        """The gate's verdict."""
        return progress(
            self.case.losses, self.case.preset.goal, self.case.state.divergence is not None
        )

    @cached_property
    def cost(self) -> Cost:
        """What errors cost in the reported loss."""
        return Cost(self.stated.report, self.stated.samples_per_epoch)

    @cached_property
    def finite(self) -> tuple[State, ...]:
        """The kept states whose parameters are finite, the last at or near the cursor."""
        found = tuple(each for each in self.case.kept if np.isfinite(each.theta).all())
        return found or (self.case.kept[0],)

    @property
    def start(self) -> State:
        """The first kept state: update 0."""
        return self.finite[0]

    @property
    def now(self) -> State:
        """The last state with finite parameters."""
        return self.finite[-1]

    @cached_property
    def looks(self) -> tuple[State, ...]:
        """Some finite states, evenly chosen, the first and the last among them."""
        places = np.unique(np.linspace(0, len(self.finite) - 1, LOOKS).astype(int))
        return tuple(self.finite[place] for place in places)

    def parameters(self, state: State) -> Parameters:
        """Per layer, W and b."""
        return self.layout.views(state.theta)

    @cached_property
    def layers(self) -> list[LayerValues]:
        """The forward pass of the sampled rows at `now`."""
        return self.values(self.now)

    def values(self, state: State) -> list[LayerValues]:
        """The program's forward pass of the sampled rows with the parameters of ``state``."""
        with np.errstate(all="ignore"):
            return self.subject.forward(state.theta, self.sample_x)

    def flat_units(self, state: State) -> list[npt.NDArray[np.bool_]]:
        """Per layer and unit, whether its stated slope is 0 on every training row at ``state``.

        The rows are taken a part at a time, up to the first in which no such unit is left.
        """
        if state.update not in self._flat:
            flat = [np.ones(layer.units, dtype=np.bool_) for layer in self.stated.layers]
            for begin in range(0, self.x.shape[1], MOST_ROWS):
                if not any(each.any() for each in flat):
                    break
                part = self.x[:, begin : begin + MOST_ROWS]
                with np.errstate(all="ignore"):
                    layers = self.subject.forward(state.theta, part)
                for layer, values in enumerate(layers):
                    flat[layer] &= (self._slope(layer, values) == 0.0).all(axis=1)
            self._flat[state.update] = flat
        return self._flat[state.update]

    @cached_property
    def _flat(self) -> dict[int, list[npt.NDArray[np.bool_]]]:
        return {}

    @property
    def output_slope(self) -> Array:
        """The stated derivative at each z of the output in `layers`, (outputs, samples)."""
        return self._slope(len(self.stated.layers) - 1, self.layers[-1])

    def _slope(self, layer: int, values: LayerValues) -> Array:
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
        """How many times the mean loss one update follows: its rows where the loss is a sum."""
        return self.stated.batch_size if self.stated.training.reduction == "sum" else 1

    def curvature(self, state: State) -> float:
        """The largest curvature that an update meets: of all rows, or of single batches."""
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
        """The learning rate at ``state``, with what momentum makes of it in the long run."""
        training = self.stated.training
        rate = learning_rate(self.stated, state.epoch)
        return rate / (1.0 - training.momentum) if not self.scales_itself else rate

    def clipped_to(self, state: State) -> float:
        """The share of the gradient's norm, over all rows, that clipping leaves."""
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
        """Whether the optimiser's step does not grow with the gradient."""
        return self.stated.training.optimiser in ("adam", "rmsprop")

    def gradients(self, state: State) -> list[float]:
        """Per layer, the norm of the stated gradient."""
        gradient = self.landscape.gradient(state.theta)
        return [float(np.linalg.norm(gradient[span])) for span in self.layout.spans()]

    @property
    def hidden(self) -> range:
        """The numbers of the hidden layers."""
        return range(len(self.stated.layers) - 1)
