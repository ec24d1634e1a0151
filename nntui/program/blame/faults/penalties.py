"""A penalty of the loss that goes into the gradient with another coefficient."""

from nntui.program.blame.evidence.scene import Scene
from nntui.program.blame.naming.findings import Finding


def of_penalties(scene: Scene, findings: list[Finding]) -> list[Finding]:
    """``findings``, in the words of whoever wrote a penalty, where that alone is what is wrong."""
    excess = scene.judgement.contradicted
    return [
        _of_penalty(each, excess[each["parameters"][0]])
        if each["parameters"] and set(each["parameters"]) <= set(excess)
        else each
        for each in findings
    ]


def _of_penalty(found: Finding, excess: float) -> Finding:
    name = found["parameters"][0]
    amount = "too little" if excess < 0 else "too much"
    times = f"{abs(excess):.4g} times {name}"
    return {
        **found,
        "code": "wrong-factor",
        "cause": f"the penalty on {name} goes into its gradient with another coefficient than "
        f"into the loss: {times} {amount}",
        "evidence": f"with {times} {'more' if excess < 0 else 'less'} in it the gradient is that "
        "of the loss in every state",
        "fix": f"give the gradient {times} {'more' if excess < 0 else 'less'}, or leave that out "
        "of the loss",
    }
