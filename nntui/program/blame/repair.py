"""Finds the repair of an update: the value that, replaced, makes wrong steps right.

A repair counts only if it makes wrong steps true gradients in every informative state and breaks
none. That is a counterfactual: had this line computed that value, the update would be right.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nntui.program.blame.candidates import (
    Candidate,
    candidates,
    edge_candidates,
    part_candidates,
    sign_candidates,
)
from nntui.program.blame.counterfactuals import (
    Edit,
    Fixed,
    LocalDerivative,
    Swaps,
    Together,
    TrueDerivative,
)
from nntui.program.blame.scene import Scene
from nntui.program.blame.slope_functions import function_candidates
from nntui.program.blame.verified import Verified
from nntui.program.judge.agreement import CONSTANT, spread
from nntui.program.judge.readings import Values
from nntui.program.judge.verdict import RIGHT, Judgement
from nntui.program.record.recompute import replay

NATURAL = 0.75
"""The cost up to which a repair is tried before the others: it names what was meant instead."""
ROUNDS = 8
"""Faults that are looked for, one after the other."""
FITS = 1e-6
"""Relative difference up to which a factor that was fitted counts."""
STATES = 3
"""The most informative states, in which a candidate is screened first."""
SAMPLE = 16
"""Of very many wrong parameters, numbers that stand one by one, about so many are tried first."""


@dataclass(frozen=True)
class Repair:
    """One repair and the parameters whose steps it makes right."""

    candidate: Candidate
    edit: Edit
    mends: tuple[str, ...]


class Repairs:
    """The repairs of a scene, found one after the other until nothing is wrong or time is up."""

    def __init__(self, scene: Scene, until: float) -> None:
        self.scene, self._until = scene, until
        self.found: list[Repair] = []
        self.left_out = False
        """Whether the time ran out before all candidates were tried."""

    def search(self) -> list[Repair]:
        """Look for repairs; the wrong parameters that none explains are `unexplained`."""
        for _ in range(ROUNDS):
            if not self.unexplained:
                break
            repair = (
                self._of_functions()
                or self._near()
                or self._best(named=True)
                or self._best(named=False)
            )
            if repair is None:
                break
            self.found.append(repair)
        return self.found

    def _of_functions(self) -> Repair | None:
        """A function that computes slopes, mended in all of its calls."""
        wrong = self.unexplained
        return self._first_of(function_candidates(self.scene, wrong), wrong)

    def _near(self) -> Repair | None:
        """A repair where the first values arise that are no true derivatives."""
        wrong = self.unexplained
        together = Together(tuple(repair.edit for repair in self.found))
        values = {}
        if self.found:
            for at in self.scene.informative[:STATES]:
                found = self._values(together, at)
                if found is not None:
                    values[at] = found
        verified = Verified(self.scene, values)
        turned = self._first_of(sign_candidates(self.scene, wrong, verified), wrong)
        if turned is not None and len(turned.mends) == len(wrong):
            return turned
        whole = self._first_of(part_candidates(self.scene, verified, wrong), wrong)
        if whole is not None:
            return whole
        frontier = verified.frontier(wrong)
        if not frontier:
            return None
        near = candidates(self.scene, wrong, None, verified.beside(frontier[0]), verified)
        near += edge_candidates(self.scene, verified, frontier)
        near.sort(key=lambda each: (each.order, each.cost))
        several = {node.place for node in frontier}
        repair = self._first_of([each for each in near if each.cost <= NATURAL], wrong)
        if repair is None and len(several) > 1:
            # Wrong values on several lines are likelier to have one cause before them.
            every = candidates(self.scene, wrong, None, None, verified)
            natural = self._first_of([each for each in every if each.cost <= NATURAL], wrong)
            if natural is not None and len(natural.mends) > 1:
                repair = natural
        if repair is None:
            repair = self._first_of([each for each in near if each.cost > NATURAL], wrong)
            if repair is not None and isinstance(repair.edit, TrueDerivative):
                # A slope that is there, and wrong, is named rather than what it is a factor of.
                slope = self._first_of(self._slopes(near, repair, verified), wrong)
                if slope is not None and set(slope.mends) >= set(repair.mends):
                    repair = slope
        if repair is None:
            fitted = [self._fitted(each, wrong) for each in near]
            repair = self._first_of([each for each in fitted if each is not None], wrong)
        return None if repair is None else self._deeper(repair, wrong)

    def _fitted(self, candidate: Candidate, wrong: Sequence[str]) -> Candidate | None:
        """``candidate`` with the factor at which what is added later, such as a penalty, fits.

        A program may divide by the number of rows before or after it adds a penalty. The step is
        a sum of a part with that factor and one without, and has to be along the gradient.
        """
        edit, scene = candidate.edit, self.scene
        name = max(wrong, key=lambda each: np.size(scene.recording.start[each].value))
        gradient = scene.judgement.gradient(scene.at, name)
        if not isinstance(edit, TrueDerivative) or gradient is None or np.size(gradient) < 3:
            return None
        steps = []
        for factor in (0.0, edit.factor):
            made = Together((*(each.edit for each in self.found), replace(edit, factor=factor)))
            values = self._values(made, scene.at)
            if values is None:
                return None
            steps.append(scene.judgement.readings[name].read(scene.recording, name, values))
        without, once = steps
        if without is None or once is None or not np.isfinite(once).all() or not np.any(without):
            return None
        columns = np.stack([np.ravel(once - without), np.ravel(gradient)], axis=1)
        if not np.isfinite(columns).all():
            return None
        solution = np.linalg.lstsq(columns, -np.ravel(without), rcond=None)[0]
        off = columns @ solution + np.ravel(without)
        factor = float(solution[0])
        if not factor or np.linalg.norm(off) > FITS * np.linalg.norm(without):
            return None
        return replace(candidate, edit=replace(edit, factor=factor * edit.factor))

    def _slopes(
        self, near: Sequence[Candidate], repair: Repair, verified: Verified
    ) -> list[Candidate]:
        """The candidates of ``near``, and the factors of what ``repair`` replaces, as slopes.

        A slope that is 1 everywhere may pass for a derivative, and so is none of the first.
        """
        scene, node = self.scene, repair.candidate.node
        factors = [each for each in node.inputs if each.place >= 0 and not scene.is_forward(each)]
        options = list(near)
        if node.operation == "*":
            known = {each.node.number for each in near}
            factors = [each for each in factors if each.number not in known]
            options += candidates(scene, repair.mends, None, factors, verified)
        return [each for each in options if isinstance(each.edit, LocalDerivative)]

    @property
    def unexplained(self) -> list[str]:
        """The wrong parameters that no repair makes right."""
        mended = {name for repair in self.found for name in repair.mends}
        return [name for name in self.scene.judgement.wrong if name not in mended]

    def _best(self, named: bool) -> Repair | None:
        wrong = self.unexplained
        best = self._first_of(candidates(self.scene, wrong, named), wrong)
        return None if best is None else self._deeper(best, wrong)

    def _first_of(self, options: Sequence[Candidate], wrong: Sequence[str]) -> Repair | None:
        """The repair that mends most, and of these the first."""
        best: Repair | None = None
        rank: tuple[float, ...] = ()
        for candidate in options:
            if time.monotonic() > self._until:
                self.left_out = True
                break
            if best is not None and len(best.mends) == len(wrong) and candidate.order > rank[1] + 2:
                break
            mends = self.mended(candidate.edit, wrong)
            if not mends:
                continue
            order = candidate.order - (0.5 if candidate.is_operand else 0.0)
            now = (-len(mends), order, candidate.cost)
            if best is None or now < rank:
                best, rank = Repair(candidate, candidate.edit, tuple(mends)), now
        return best

    def _deeper(self, repair: Repair, wrong: Sequence[str]) -> Repair:
        """Follow a wrong value into the line that computes it, while a part of it is wrong."""
        scene = self.scene
        for _ in range(6):
            candidate = repair.candidate
            if not isinstance(candidate.edit, TrueDerivative):
                return repair
            here = (
                scene.places.places[candidate.node.place].line if candidate.node.place >= 0 else 0
            )
            deeper = None
            for part in candidate.node.inputs:
                if (
                    part.place < 0
                    or scene.places.places[part.place].line != here
                    or part.number in scene.recording.named
                    or not scene.recording.depends[part.number]
                    or scene.is_forward(part)
                ):
                    continue
                for forward in scene.forward_nodes:
                    if np.size(forward.value) != np.size(part.value):
                        continue
                    edit = TrueDerivative(part.key, forward.key, candidate.edit.factor)
                    mends = self.mended(edit, wrong)
                    if set(mends) >= set(repair.mends):
                        inner = replace(candidate, edit=edit, node=part, forward=forward)
                        deeper = Repair(inner, edit, tuple(mends))
                        break
                if deeper:
                    break
            if deeper is None:
                return repair
            repair = deeper
        return repair

    def mended(self, edit: Edit, wrong: Sequence[str]) -> list[str]:
        """Which of ``wrong`` are right with ``edit`` and the repairs found so far.

        None of them where a step that is right becomes wrong.
        """
        judgement = self.scene.judgement
        together = Together((*(repair.edit for repair in self.found), edit))
        known: dict[int, Values | None] = {}
        if len(wrong) >= 2 * SAMPLE and not self._screened(
            together, wrong[:: len(wrong) // SAMPLE], known
        ):
            return []
        hopeful = self._screened(together, wrong, known)
        if not hopeful:
            return []
        rejudged = self.rejudged(together, known)
        before = {name for repair in self.found for name in repair.mends} | {*judgement.right}
        if any(rejudged.verdicts[name] != RIGHT for name in before):
            return []
        return [name for name in hopeful if rejudged.verdicts[name] == RIGHT]

    def _screened(
        self, edit: Edit, names: Sequence[str], known: dict[int, Values | None]
    ) -> list[str]:
        """Those of ``names`` that ``edit`` makes right in the most informative states.

        ``known`` gets the values that were replayed.
        """
        judgement = self.scene.judgement
        hopeful = list(names)
        factors: dict[str, list[float]] = {name: [] for name in names}
        for at in self.scene.informative[:STATES]:
            if at not in known:
                known[at] = self._values(edit, at)
            values = known[at]
            if values is None:
                return []
            for name in list(hopeful):
                found = judgement.compare(at, name, values)
                if found is None:
                    continue
                factors[name].append(found.factor)
                unlike = spread(factors[name]) > CONSTANT and not judgement.scheduled
                if not found.holds or found.factor == 0 or unlike:
                    hopeful.remove(name)
            if not hopeful:
                return []
        return [name for name in hopeful if factors[name]]

    @property
    def all_made(self) -> Judgement | None:
        """The judgement with all repairs made; None where there are none."""
        edits = tuple(repair.edit for repair in self.found)
        return self.rejudged(Together(edits)) if edits else None

    def rejudged(self, edit: Edit, known: dict[int, Values | None] | None = None) -> Judgement:
        """The judgement of all recordings with ``edit`` applied."""
        values = [
            known[at] if known and at in known else self._values(edit, at)
            for at in range(len(self.scene.recordings))
        ]
        original = self.scene.judgement
        again = replace(
            original,
            readings=dict(original.readings),
            agreements={},
            verdicts={},
            has_plan=original.scheduled,
        )
        for name in original.parameters:
            again.agreements[name] = [
                None if values[at] is None else again.compare(at, name, values[at])
                for at in range(len(values))
            ]
        again.conclude()
        return again

    def _values(self, edit: Edit, at: int) -> Values | None:
        found = edit.apply(self.scene, at)
        if found is None:
            return None
        recording = self.scene.recordings[at]
        last = max(
            (
                recording.end[name].number
                for name in self.scene.judgement.parameters
                if name in recording.end
            ),
            default=0,
        )
        return replayed(lambda: replay(recording.nodes, found[0], found[1], last + 1))


def replayed(run: Callable[[], Values]) -> Values | None:
    """What ``run`` replays; None where an operation refuses what it is given."""
    try:
        with np.errstate(all="ignore"):
            return run()
    except (ArithmeticError, ValueError, TypeError, IndexError, AttributeError):
        return None


__all__ = ["Fixed", "Repair", "Repairs", "Swaps"]
