"""Says in a program's names and lines what a diagnosis says of a preset's layers and keys."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nntui.diagnosis.finding import Finding, Fix
from nntui.diagnosis.rules.code_faults import FORWARD, UPDATE
from nntui.presets.variations import FACTORS
from nntui.program.recognise.description import DenseLayer, Description, Spot
from nntui.program.why.changes.variants import BIASES, DRAWN, EPOCHS, LINES, RATE, Source
from nntui.program.why.findings.located import Located, located

TENSOR = re.compile(r"\b([Wb]) of layer (\d+)")
LAYERS = re.compile(r"\blayers ((?:\d+, )*\d+ and \d+|\d+(?:, \d+)+)")
LAYER = re.compile(r"\blayer (\d+)\b(?! \()")
NEW_RATE = re.compile(
    rf"(?:(?:{'|'.join(words for _, words in FACTORS)}) the learning rate:|the learning rate) "
    r"[-+.\de]*\d"
)
"""How fixes of presets name a learning rate."""
UNNAMED = (UPDATE, FORWARD)
"""Code faults whose kind is not known: the check knows more, if it has found anything."""
WIDEST = 40
"""Characters of names in brackets."""


class OwnNames:
    """The names of a program's layers, from its description."""

    def __init__(self, description: Description) -> None:
        self._layers = description.layers

    def name(self, layer: int) -> str:
        """What the program calls the weights of ``layer``; empty if it has no one name."""
        return _one(self._layers[layer].weights) if layer < len(self._layers) else ""

    def spot(self, layer: int | None) -> Spot | None:
        """Where ``layer`` is computed."""
        if layer is None or layer >= len(self._layers):
            return None
        return self._layers[layer].z

    def said(self, text: str) -> str:
        """``text`` with the program's names beside, or in the place of, the numbers of layers."""
        text = TENSOR.sub(self._tensor, text)
        text = LAYERS.sub(self._several, text)
        named: set[int] = set()

        def first(match: re.Match[str]) -> str:
            layer = int(match[1])
            name = self.name(layer)
            if not name or layer in named:
                return match[0]
            named.add(layer)
            return f"{match[0]} ({name})"

        return LAYER.sub(first, text)

    def _tensor(self, match: re.Match[str]) -> str:
        layer = int(match[2])
        if layer >= len(self._layers):
            return match[0]
        known: DenseLayer = self._layers[layer]
        return _one(known.weights if match[1] == "W" else known.biases) or match[0]

    def _several(self, match: re.Match[str]) -> str:
        names = [self.name(int(each)) for each in re.findall(r"\d+", match[1])]
        said = ", ".join(names)
        return f"{match[0]} ({said})" if all(names) and len(said) <= WIDEST else match[0]

    def fix(self, fix: Fix) -> Fix:
        """``fix`` in the program's names."""
        return replace(fix, text=self.said(fix.text))

    def finding(self, finding: Finding, source: Source | None = None) -> Located:
        """``finding`` in the program's names, with the line that it concerns."""
        said = replace(
            finding,
            evidence=self.said(finding.evidence),
            fixes=tuple(map(self.fix, finding.fixes)),
        )
        keys = {key for fix in finding.fixes for key in fix.changes}
        where = self.spot(finding.layer)
        place: dict[str, Any] = {}
        if keys == {RATE} and source is not None and source.rate is not None:
            place = {"file": source.rate.file, "line": source.rate.line}
        elif keys == {EPOCHS} and source is not None:
            file, line = source.request.around or source.request.loop
            place = {"file": file, "line": line}
        elif where is not None:
            place = {"file": where.file, "line": where.line}
        name = "" if finding.layer is None else self.name(finding.layer)
        cause = f"{finding.rule.title}{f', {name}' if name else ''}"
        return located(said, cause=cause, **place)


def _one(names: Sequence[str]) -> str:
    """One name for what may be kept in parts."""
    if not names:
        return ""
    return names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"


def merged(
    findings: Sequence[Finding],
    code: Sequence[Located],
    description: Description,
    source: Source | None,
) -> list[Located]:
    """The findings of a preset, where code faults take the lines that the check has named.

    Those of ``code``, the check's, that the preset's have no counterpart of stand behind them.
    """
    names, left = OwnNames(description), list(code)
    known = {finding.code for finding in findings}
    found: list[Located] = []
    for finding in findings:
        line = _line_of(finding, left, known, description) if finding.rule.is_code_fault else None
        if line is not None:
            left.remove(line)
            found.append(_at_line(finding, line))
        elif not (finding.code in UNNAMED and code):
            found.append(names.finding(finding, source))
    return [*found, *left]


def _line_of(
    finding: Finding, code: Sequence[Located], known: set[str], description: Description
) -> Located | None:
    """The finding of the check that is the same fault: by its kind, else by what it concerns."""
    same = [each for each in code if each.code == finding.code]
    if same:
        return same[0]
    layers = {finding.layer, *finding.layers}
    for each in code:
        places = [description.named(name) for name in each.parameters]
        if each.code not in known and layers & {place[0] for place in places if place}:
            return each
    return None


def _at_line(finding: Finding, line: Located) -> Located:
    """``line``, with what the preset's experiments know of it: the changes that mend it."""
    words = line.fixes[0].text if line.fixes else None
    fixes = tuple(replace(fix, text=words or fix.text) for fix in finding.fixes)
    return replace(
        line,
        rule=finding.rule,
        fixes=fixes,
        weight=finding.weight,
        layer=finding.layer,
        layers=finding.layers,
    )


def in_own_words(fix: Fix, source: Source, rate: float | None) -> Fix:
    """``fix``, of a preset with the learning rate ``rate``, with the number the program needs."""
    value = fix.changes.get(RATE)
    if value is None or not rate or source.rate is None:
        return fix
    (own,) = source.rate_fixes(value / rate)
    return replace(fix, text=NEW_RATE.sub(own.text, fix.text, count=1))


def in_program(fix: Fix, source: Source, rate: float | None) -> Fix:
    """``fix``, of a preset with the learning rate ``rate``, as a change of the program itself.

    What cannot be changed in the program keeps only its words.
    """
    changes: dict[str, Any] = {}
    words: dict[str, str] = {}
    for key, value in fix.changes.items():
        if key.endswith((".slope", ".scale", ".low", ".high")):
            continue
        own: Fix | None = None
        if key == "faults" and value == [] and source.mends:
            own = Fix("", {LINES: sorted(source.mends)})
        elif key == RATE and rate and source.rate is not None:
            own = source.rate_fixes(value / rate)[0]
        elif key == EPOCHS:
            own = source.longer_fix(max(round(value / source.epochs), 2))
        elif key.endswith(".bias_init") and value == "zeros":
            own = Fix("", {BIASES: value})
        elif key.endswith(".init"):
            own = Fix("", {DRAWN: "xavier"})
        if own is None:
            return replace(fix, changes={})
        changes |= own.changes
        words[key] = own.text
    said = words[RATE] or fix.text if list(words) == [RATE] else fix.text
    return replace(fix, text=said, changes=changes)
