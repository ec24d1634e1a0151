"""Weight decay: the part of an update that is a multiple of the parameter itself.

A program may shrink its weights without ever adding the penalty up in the loss that it prints.
Where its own loss does hold a penalty on a parameter, that says how much of it there has to be.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from nntui.program.judge.update.recorded_update import PASSING, Recording
from nntui.program.judge.verdict.agreement import CONSTANT, SAME, spread
from nntui.program.judge.verdict.readings import SPARED, HandedGradient, Step, decaying
from nntui.program.record.node import Node

Array = np.ndarray
FEWEST = 3
"""States in which the decay of a pair of numbers has to be felt; of more, two are enough."""
LINEAR = PASSING | {"+", "-", "neg", "sum", "mean"}
"""Operations through which a penalty is added to a loss."""


def with_decay(
    reading: Step | HandedGradient,
    recordings: Sequence[Recording],
    gradients: Sequence[Array | None],
    name: str,
) -> Step | HandedGradient | None:
    """``reading`` with the decay that, set aside, leaves multiples of the gradient of ``name``.

    It is found by least squares in every state, and counts where one coefficient serves all.
    """
    size = np.size(recordings[0].start[name].value)
    if size < 2:
        return None
    for spared in SPARED:
        fits: list[tuple[float, float, bool]] = []
        for recording, gradient in zip(recordings, gradients, strict=True):
            if name not in recording.start or name not in recording.end or gradient is None:
                continue
            read = reading.read(recording, name, recording.values)
            if read is None:
                continue
            whole = np.asarray(recording.start[name].value, float)
            parameter = decaying(whole, spared, read).ravel()
            if not (np.any(gradient) and np.any(parameter) and np.any(read)):
                continue
            fit = _fit(read.ravel(), np.ravel(gradient), parameter)
            if fit is None:
                fits.clear()
                break
            fits.append(fit)
        felt = [decay for _, decay, is_felt in fits if is_felt]
        if len(felt) < (2 if size > 2 else FEWEST) or spread(felt) > CONSTANT:
            continue
        if spread([rate for rate, _, _ in fits]) <= CONSTANT:
            return replace(reading, decay=float(np.median(felt)), spared=spared)
    return None


def _fit(step: Array, gradient: Array, parameter: Array) -> tuple[float, float, bool] | None:
    """(rate, decay, whether it is felt) of ``step = -rate * gradient - decay * parameter``."""
    if not (np.isfinite(step).all() and np.isfinite(gradient).all()):
        return None
    lengths = np.linalg.norm(gradient), np.linalg.norm(parameter)
    if not all(lengths):  # entries below 1e-160, whose squares are 0
        return None
    columns = np.stack([gradient / lengths[0], parameter / lengths[1]], axis=1)
    solution = np.linalg.lstsq(columns, step, rcond=None)[0]
    size = np.linalg.norm(step)
    if np.linalg.norm(columns @ solution - step) > SAME * size:
        return None
    felt = abs(solution[1]) > 1e-6 * size
    return -float(solution[0] / lengths[0]), -float(solution[1] / lengths[1]), bool(felt)


def penalised(recording: Recording, top: Node, parameters: Collection[str]) -> set[str]:
    """The ``parameters`` on which the loss ``top`` holds a penalty beside what the data give.

    That is a summand made of parameters and constants alone; a number that is nothing else, such
    as a penalty that is printed on its own, is no loss.
    """
    own = {recording.start[name].number for name in parameters if name in recording.start}
    alone = [False] * len(recording.nodes)
    """By node number, whether it is made of parameters alone."""
    for node in recording.nodes:
        alone[node.number] = node.number in own or (
            bool(node.inputs) and all(alone[each.number] for each in node.inputs)
        )
    found, waiting, seen = 0, [top], set()
    while waiting and not alone[top.number]:
        node = waiting.pop()
        if node.number in seen or not recording.depends[node.number]:
            continue
        seen.add(node.number)
        if alone[node.number]:
            found |= 0 if node.number in own else recording.depends[node.number]
            continue
        fed = [each for each in node.inputs if recording.depends[each.number]]
        if node.operation in LINEAR or (node.operation in ("*", "/") and len(fed) == 1):
            waiting += fed
    return {name for name in parameters if recording.bit.get(name, 0) & found}
