"""Finds where a network's output meets its targets, and so what the targets are."""

from collections.abc import Iterator, Sequence

import numpy as np

from nntui.program.judge.update.recorded_update import Recording, operand
from nntui.program.judge.verdict.loss_hypotheses import OWN, Loss
from nntui.program.recognise.reading.layers.identities import FIRST
from nntui.program.recognise.reading.layers.stack import SAMPLES, Stack
from nntui.program.recognise.reading.no_counterpart import NoCounterpartError
from nntui.program.record.node import Node, Ref
from nntui.program.record.places import Places

Array = np.ndarray
Meeting = tuple[Node, Array, Array]
"""A prediction, the codes of its elements, and the targets of these."""


def find_targets(stack: Stack, loss: Loss, places: Places) -> Array:
    """The targets, (outputs, samples); the output's values are noted in the last level.

    Raises NoCounterpartError where the output is compared with nothing.
    """
    level = stack.levels[-1]
    found = np.full(level.z.shape, np.nan)
    predictions: list[Node] = []
    shaped: Node | None = None
    for source in (_by_loss, _differences, _sums, _quotients, _of_logarithms, _labels):
        if np.isfinite(found).all():
            break
        for prediction, codes, values in source(stack, loss, places):
            if np.shape(codes) != np.shape(values):
                shaped = shaped or prediction
                continue
            flat = codes.reshape(-1)
            if not (flat >= FIRST).all():
                continue
            units, samples = np.divmod(flat - FIRST, SAMPLES)
            units, samples = units.astype(int), samples.astype(int)
            if np.isfinite(found[units, samples]).any():
                continue
            found[units, samples] = values.reshape(-1)
            predictions.append(prediction)
    if not np.isfinite(found).all():
        if shaped is not None:
            raise NoCounterpartError("the output and the targets have different shapes", shaped)
        raise NoCounterpartError("the output is compared with no targets", level.roots[-1])
    numbers = np.concatenate([stack.identities.of(each).reshape(-1) for each in predictions])
    sources = np.unique(stack.identities.sources(numbers)[0])
    stack.set_value(level, [stack.nodes[each] for each in sources if each >= 0])
    if not np.isfinite(level.f).all():
        # Some outputs are read where they are compared, such as those of the right classes.
        whole = {number for node in predictions for number in _whole(stack, node)}
        stack.set_value(level, [stack.nodes[each] for each in sorted(whole)])
    return found


def _whole(stack: Stack, node: Node) -> Iterator[int]:
    while node.operation == "take":
        node = node.inputs[0]
    if node.number in stack.codes:
        yield node.number


def _output(stack: Stack, node: Node | None) -> Array | None:
    """The codes of ``node`` if it is of the last level."""
    if node is None or stack.level_of.get(node.number) != len(stack.levels):
        return None
    return stack.codes[node.number]


def _by_loss(stack: Stack, loss: Loss, places: Places) -> Iterator[Meeting]:
    if loss.kind == OWN:
        return
    for node in stack.recording.by_line.get(loss.key, ()):
        yield from _meeting(stack, node, loss.side, places)


def _meeting(stack: Stack, node: Node, side: int, places: Places) -> Iterator[Meeting]:
    prediction = operand(node, side)
    codes = _output(stack, prediction)
    if prediction is None or codes is None:
        return
    given = node.arguments[1 - side]
    value = given.node.value if isinstance(given, Ref) else given
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return
    if _is_class(node, prediction, array):
        yield from _one_hot(stack, prediction, codes)
        return
    literals = places.places[node.place].literals if node.place >= 0 else ()
    if not isinstance(given, Ref) and len(literals) == 2 and literals[1 - side]:
        return
    if isinstance(given, Ref) and stack.recording.depends[given.node.number] & stack.mask:
        return
    if node.operation not in ("-", "+", "*", "/"):
        if array.size == codes.size and np.size(node.value) == 1:
            yield prediction, codes, array.astype(float).reshape(codes.shape)
        return
    try:
        values = np.broadcast_to(array.astype(float), np.broadcast_shapes(array.shape, codes.shape))
    except ValueError:
        return
    if node.operation == "/" and (values <= 0.0).all():
        values = -values  # the slope of a cross-entropy is minus targets by outputs
    if codes.shape != np.shape(node.value):
        yield prediction, codes, np.zeros(np.shape(node.value))
        return
    yield prediction, codes, values


def _is_class(node: Node, prediction: Node, other: Array) -> bool:
    return (
        node.operation == "-"
        and prediction.operation == "take"
        and other.size == 1
        and not isinstance(node.arguments[1], Ref)
        and float(other) == 1.0
    )


def _one_hot(stack: Stack, prediction: Node, codes: Array) -> Iterator[Meeting]:
    """The right classes are those that are read: one target of each sample is 1, others are 0."""
    source = prediction.inputs[0]
    whole = _output(stack, source)
    if whole is None or whole.size == codes.size:
        return
    _, samples = np.divmod(codes.reshape(-1) - FIRST, SAMPLES)
    if np.unique(samples).size != samples.size:
        return
    _, of_whole = np.divmod(whole.reshape(-1) - FIRST, SAMPLES)
    here = np.isin(of_whole, samples) & (whole.reshape(-1) >= FIRST)
    values = np.isin(whole.reshape(-1)[here], codes.reshape(-1)).astype(float)
    yield source, whole.reshape(-1)[here], values


def _eligible(recording: Recording, operations: Sequence[str]) -> Iterator[Node]:
    for node in recording.nodes:
        if node.operation in operations and len(node.arguments) == 2:
            yield node


def _differences(stack: Stack, _loss: Loss, places: Places) -> Iterator[Meeting]:
    for node in _eligible(stack.recording, ("-",)):
        for side in (0, 1):
            yield from _meeting(stack, node, side, places)


def _sums(stack: Stack, _loss: Loss, places: Places) -> Iterator[Meeting]:
    """Minus the targets, added to the output."""
    for node in _eligible(stack.recording, ("+",)):
        for side in (0, 1):
            for prediction, codes, values in _meeting(stack, node, side, places):
                yield prediction, codes, -values


def _quotients(stack: Stack, _loss: Loss, places: Places) -> Iterator[Meeting]:
    """Targets divided by the output: the slope of a cross-entropy."""
    for node in _eligible(stack.recording, ("/",)):
        yield from _meeting(stack, node, 1, places)


def _of_logarithms(stack: Stack, _loss: Loss, places: Places) -> Iterator[Meeting]:
    """Targets times the logarithm of the output, by element or summed at once."""
    for node in _eligible(stack.recording, ("*", "@", "dot", "inner", "vdot")):
        for side in (0, 1):
            logarithm = operand(node, side)
            if logarithm is None or logarithm.operation != "log":
                continue
            inner = logarithm.inputs[0]
            while inner.operation in ("+", "clip", "maximum") and inner.inputs:
                inner = inner.inputs[0]
            for _, codes, values in _meeting(stack, node, side, places):
                if inner.number in stack.codes:
                    yield inner, codes, values


def _labels(stack: Stack, _loss: Loss, places: Places) -> Iterator[Meeting]:
    """The logarithm of the outputs of the right classes."""
    for node in stack.recording.nodes:
        if node.operation != "log" or not node.inputs:
            continue
        inner = node.inputs[0]
        while inner.operation in ("+", "clip", "maximum") and inner.inputs:
            inner = inner.inputs[0]
        codes = _output(stack, inner)
        if inner.operation == "take" and codes is not None:
            yield from _one_hot(stack, inner, codes)
