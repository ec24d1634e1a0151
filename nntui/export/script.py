"""The frame of a script: header, settings, data, parameters, loop over epochs, final output."""

import re
from collections.abc import Iterator
from typing import Any

from nntui.core.engine.reported_loss import is_unscaled
from nntui.core.errors import ConfigError, one_line, quoted
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.printing import NumpyPrinter
from nntui.core.parts.schedules import SCHEDULES
from nntui.core.settings.report_settings import BEFORE
from nntui.export.data_section import data_section
from nntui.export.fault_comments import FaultComments
from nntui.export.formatting import WIDTH, assigned, comment, indented, listed
from nntui.export.numpy_script import NumpyScript
from nntui.export.parameter_section import parameter_section
from nntui.export.pytorch_script import PytorchScript
from nntui.export.script_functions import needed
from nntui.presets.preset import Preset
from nntui.presets.schema import check_seed

TARGETS: dict[str, type[NumpyScript] | type[PytorchScript]] = {
    "numpy": NumpyScript,
    "pytorch": PytorchScript,
}
DUE, STATED = "epoch % REPORT_EVERY == 0", "reported_loss()"
MOST_SHOWN = 10
"""Maximum rows whose outputs a script prints at its end."""


def export(preset: Preset, target: str, seed: int | None = None) -> str:
    """A script that trains ``preset`` from ``seed`` (None: its own) and prints every loss.

    ``target`` is one of `TARGETS`.  Raises ConfigError for another target or an invalid seed.
    """
    if target not in TARGETS:
        names = ", ".join(TARGETS)
        raise ConfigError("", f"there is no export as {quoted(target)}; one of: {names}")
    return _Script(preset, target, check_seed(preset.seed if seed is None else seed)).text()


class _Script:
    def __init__(self, preset: Preset, target: str, seed: int) -> None:
        self._preset, self._seed = preset, seed
        self._configuration = configuration = preset.configuration
        self._training, self._comments = configuration.training, FaultComments()
        self._target = TARGETS[target](configuration, self._comments)
        self._rate = "RATE" if self._training.schedule == "constant" else "rate"
        whole = configuration.updates_per_epoch == 1 and self._training.order == "in-order"
        self._batch = ("x", "y") if whole else ("xb", "yb")
        # Built in the order of the script, because a fault is explained where it first occurs.
        self._forward = list(self._target.forward())
        self._update = list(self._target.update(*self._batch, self._rate))
        self._report = configuration.report
        self._reporting = self._target.reported("y")

    def text(self) -> str:
        """The whole script."""
        setup, loop, end = list(self._target.setup()), list(self._loop()), list(self._end())
        function = ["def forward(x):", *indented([*self._forward, self._returned()])]
        report = [f"def {STATED}:", *indented(self._stated())]
        body = "\n".join([*setup, *function, *report, *loop, *end])
        functions = [*self._target.definitions(), *needed(self._target.functions, body)]
        configuration = self._configuration
        draws = parameter_section(configuration, self._target.trained)
        top = [
            self._header(),
            ["import sys", "", *self._imports("\n".join([*functions, body]))],
            self._settings("\n".join([*functions, body])),
            data_section(configuration.data, is_unscaled(configuration)),
            draws,
            setup,
        ]
        defined = [[each] for each in functions] + [function]
        if self._report.covers_all:
            defined.append(report)
        bottom = [*defined, [*loop, "", *end]]
        paragraphs = ["\n".join(lines) for lines in top]
        sections = ["\n\n".join(paragraph for paragraph in paragraphs if paragraph)]
        sections += ["\n".join(lines) for lines in bottom]
        return "\n\n\n".join(sections) + "\n"

    def _header(self) -> Iterator[str]:
        preset, goal = self._preset, self._preset.goal
        library = self._target.library
        yield from comment(f"A {preset.network} network, trained with {library}; made by nntui.")
        same = "Seed and draws are those of nntui, and so are the losses that it prints"
        yield from comment(f"{same}, up to rounding, which a chaotic training amplifies.")
        yield "#"
        yield from comment(f"Preset: {one_line(preset.name)}.")
        yield from comment(preset.story.question)
        ends = " ends the run" if goal.stop else " is the goal"
        yield f"# A loss of {goal.loss!r} or less{ends}; it has {goal.epochs} epochs."
        yield "#"
        every = self._preset.configuration.report.every
        per = "per epoch" if every == 1 else f"every {every} epochs"
        said = f'prints "epoch loss" {per}, the first as 1; other lines begin with #.'
        yield f"# python SCRIPT [EPOCHS] {said}"
        yield from self._comments.idle(self._configuration)

    def _imports(self, body: str) -> Iterator[str]:
        yield "import numpy as np"
        if self._target.library == "PyTorch":
            yield "import torch"
            if "F." in body:
                yield "import torch.nn.functional as F"

    def _settings(self, body: str) -> Iterator[str]:
        """The settings that ``body`` uses, as constants."""
        training, goal = self._training, self._preset.goal
        yield f"SEED = {self._seed}"
        yield f"EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else {goal.epochs}"
        rows = self._configuration.data.training_rows
        share = f" / {rows}  # divided by the rows" if training.l2_per_sample else ""
        # A power of Python floats raises OverflowError where NumPy's is infinite.
        decay = training.schedule_decay
        settings: dict[str, Any] = {
            "RATE": training.learning_rate,
            "MOMENTUM": training.momentum,
            "DAMPENING": training.dampening,
            "RHO": training.rho,
            "BETA1": training.beta1,
            "BETA2": training.beta2,
            "EPSILON": training.epsilon,
            "DECAY": f"np.float64({decay})" if decay > 1.0 else decay,
            "EVERY": f"{training.schedule_every}  # epochs",
            "BATCH": f"{self._configuration.batch_size}  # samples an update",
            "DRAWS": f"{self._configuration.samples_per_epoch}  # samples an epoch",
            "L1": f"{training.l1}{share}",
            "L2": f"{training.l2}{share}",
            "CLIP_VALUE": training.clip_value,
            "CLIP_NORM": training.clip_norm,
            "GOAL": goal.loss,
            "REPORT_EVERY": f"{self._report.every}  # epochs",
        }
        for name, value in settings.items():
            if re.search(rf"\b{name}\b", body):
                yield f"{name} = {value}"
        yield ""
        yield 'np.seterr(all="ignore")  # a divergence shows in the loss'
        yield from self._target.preparations

    def _seen(self) -> list[str]:
        """The tensors of the forward pass that an update or a report reads, the output last."""
        out = self._target.layers[-1].out
        update = "\n".join([*self._update, *self._reporting[0], self._reporting[1]])
        made = re.findall(r"^(\w+) = ", "\n".join(self._forward), re.MULTILINE)
        names = [name for name in dict.fromkeys(made) if re.search(rf"\b{name}\b", update)]
        return [*(name for name in names if name != out), out]

    def _returned(self) -> str:
        names = self._seen()
        plain = f"return {', '.join(names)}"
        return plain if len(plain) < WIDTH else listed("return (", names, ")")

    def _forwarded(self, x: str) -> str:
        names, call = self._seen(), f"forward({x})"
        return assigned(names, call) if len(names) > 1 else f"{names[0]} = {call}"

    def _output(self, x: str) -> str:
        """Source of the outputs for the data rows ``x``, as an array."""
        last = "[-1]" if len(self._seen()) > 1 else ""
        return self._target.array(f"forward({self._target.given(x)}){last}")

    def _loop(self) -> Iterator[str]:
        yield from self._target.before_loop()
        yield "for epoch in range(EPOCHS):"
        yield from indented(self._epoch())

    def _epoch(self) -> Iterator[str]:
        training, order = self._training, self._training.order
        samples, batches = (
            self._configuration.samples_per_epoch,
            self._configuration.updates_per_epoch,
        )
        if training.schedule != "constant":
            printer = NumpyPrinter({"decay": "DECAY", "every": "EVERY"})
            yield f"factor = {printer.text(SCHEDULES[training.schedule].expression)}"
            yield "rate = RATE * factor"
            yield from self._target.rates()
        if order == "shuffled":
            yield "order = random.permutation(len(x))"
        elif order == "random":
            yield "order = random.randint(0, len(x), DRAWS)"
        if not self._report.covers_all:
            yield "total = 0.0"
        x, y = self._batch
        update = [*self._before_update(), self._forwarded(x), *self._update]
        if batches == 1 and order != "in-order":
            yield f"{x}, {y} = x[order], y[order]"
        if batches == 1:
            yield from update
        else:
            yield f"for start in range(0, {samples}, BATCH):"
            taken = "start : start + BATCH"
            if order != "in-order":
                yield f"    rows = order[{taken}]"
                taken = "rows"
            yield from indented([f"{x}, {y} = x[{taken}], y[{taken}]", *update])
        yield "\n# The reported loss"
        if self._report.every == 1:
            yield from self._printed()
        else:
            yield f"if {DUE}:"
            yield from indented(self._printed())
        yield "if not finite:\n    break"

    def _before_update(self) -> Iterator[str]:
        """Statements before each update: the report with the parameters before the last one."""
        if not (self._report.covers_all and self._report.when == BEFORE):
            return
        conditions = [DUE] if self._report.every > 1 else []
        if self._configuration.updates_per_epoch > 1:
            conditions.insert(0, f"start + BATCH >= {self._configuration.samples_per_epoch}")
        if not conditions:
            yield f"printed = {STATED}"
        else:
            yield f"if {' and '.join(conditions)}:\n    printed = {STATED}"

    def _printed(self) -> Iterator[str]:
        """Statements that print the loss of an epoch, and end the run if that is the end."""
        report, samples = self._report, self._configuration.samples_per_epoch
        if not report.covers_all:
            yield f"loss = total{f' / {samples}' if self._means else ''}"
            yield from self._penalty()
        else:
            yield f"loss = {'printed' if report.when == BEFORE else STATED}"
        yield "print(epoch + 1, repr(float(loss)))"
        yield "finite = finite and np.isfinite(loss)"
        if self._preset.goal.stop:
            yield "if loss <= GOAL:\n    break"

    def _stated(self) -> Iterator[str]:
        """The body of the function that computes the reported loss over all training rows."""
        if not self._report.covers_all:
            return
        before, loss = self._reporting
        yield '"""The reported loss over all rows, with the parameters as they are."""'
        yield self._forwarded("x")
        yield from before
        yield f"loss = {loss}{' / len(x)' if self._means else ''}"
        yield from self._penalty()
        yield "return loss"

    @property
    def _means(self) -> bool:
        return self._configuration.report.reduction == "mean"

    def _penalty(self) -> Iterator[str]:
        if not self._configuration.report.penalty:
            return
        layers = self._target.layers
        if self._training.l2:
            terms = []
            for each in layers:
                wrong = [fault for fault in each.faults if fault.penalty]
                for fault in wrong:
                    yield from self._comments.fault(fault)
                term = formula(wrong[-1].penalty if wrong else "w^2")
                terms.append(f"({self._target.penalty(term, f'W{each.k}')}).sum()")
            yield listed("loss += L2 / 2 * sum([", terms, "]).item()")
        if self._training.l1:
            yield listed("loss += L1 * sum([", [f"abs(W{x.k}).sum()" for x in layers], "]).item()")

    def _end(self) -> Iterator[str]:
        target, data = self._target, self._configuration.data
        yield 'print("# parameters: how many numbers, minimum to maximum")'
        names = [name for each in target.layers for name in each.tensors]
        pairs = [f'"{name}": {target.array(name)}' for name in names]
        yield listed("for name, values in {", pairs, "}.items():")
        yield '    print(f"# {name}: {values.size}, {values.min():g} to {values.max():g}")'
        shown = f"[:{MOST_SHOWN}]" if data.rows > MOST_SHOWN else ""
        yield f'print("# outputs{f" of the first {MOST_SHOWN} rows" if shown else ""}")'
        yield f"outputs = {self._output(f'inputs{shown}')}"
        yield f"for row, target, output in zip(inputs{shown}, targets{shown}, outputs):"
        yield '    print("#", row.tolist(), "target", target.tolist(), "output", output.tolist())'
        if data.probe is not None:
            yield f"for row, output in zip(probe, {self._output('probe')}):"
            yield '    print("# probe", row.tolist(), "output", output.tolist())'
        if data.test_rows:
            yield f"x, y = {target.given('inputs[test]')}, {target.given('targets[test]')}"
            yield self._forwarded("x")
            before, loss = self._reporting
            yield from before
            yield f'print("# tested", {loss}{" / len(test)" if self._means else ""})'
