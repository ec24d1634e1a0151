"""What of the findings of a check is told: how sure each is, and none that another one explains."""

from typing import Any

from nntui.program.judge.verdict.judgement import WRONG

Answer = dict[str, Any]
Finding = dict[str, Any]

SEEN = frozenset({"never-called", "not-finite", "softmax-axis", "shape-grows", "broadcast"})
"""Kinds that are seen in the program itself, and rest on no gradient."""


def settle(answer: Answer) -> None:
    """Settle the findings of ``answer``, the verdicts of which are final.

    A line is proven only if finite differences of the program confirm the gradient and the repairs
    that were found make every parameter right.
    """
    findings = _own_lines(_before_the_softmax(answer["findings"]))
    is_sure = answer.get("confirmed") is True and answer.get("explained", True)
    for each in findings:
        if each["code"] not in SEEN and not is_sure:
            each["confidence"] = "likely"
    answer["findings"] = findings


def add_not_finite(answer: Answer, finding: Finding) -> None:
    """Tell of the first number that is not finite: steps that are wrong lead there, too."""
    findings = answer["findings"]
    if findings and any(each["verdict"] == WRONG for each in answer["parameters"]):
        place = f"line {finding['line']}"
        if finding["file"] != findings[0]["file"]:
            place = f"{finding['file']}:{finding['line']}"
        findings[0]["evidence"] += f"; so training comes to {place}: {finding['cause']}"
    else:
        findings.insert(0, finding)


def _before_the_softmax(findings: list[Finding]) -> list[Finding]:
    """Of a softmax over the wrong axis every gradient behind it is another one than is meant."""
    axis = [each for each in findings if each["code"] == "softmax-axis"]
    return [each for each in findings if not axis or each in axis or not each["parameters"]]


def _own_lines(findings: list[Finding]) -> list[Finding]:
    """Findings, without those of a line whose fault an earlier one names for their parameters."""
    kept: list[Finding] = []
    for each in findings:
        names = set(each["parameters"])
        place = (each["file"], each["line"])
        if not names or not any(
            (one["file"], one["line"]) == place and names <= set(one["parameters"]) for one in kept
        ):
            kept.append(each)
    return kept
