"""Answers of checks, as a judge would give them, for tests of what is made of them."""

import sys

from hypothesis import strategies as st

from nntui.program.answer import (
    CONFIDENCES,
    VERDICTS,
    ProgramCheck,
    ProgramFinding,
    ProgramLoop,
    ProgramLoss,
    ProgramParameter,
    Refusal,
)

LINE = ProgramFinding(
    "derivative-at-a",
    "net.py",
    44,
    "    d1 = (W2.T @ d2) * sigmoid_prime(a1)\n",
    "the slope of the sigmoid is taken at a1 instead of z1",
    ("W1", "b1"),
    "the step of W1 is not along the gradient of `loss` (line 31): they differ by 34 %; with the "
    "slope at z1 they agree to 1e-9 in 8 of 8 states",
    "write sigmoid_prime(z1) in the place of sigmoid_prime(a1)",
    "proven",
)
UNUSED = ProgramFinding(
    "never-called",
    "net.py",
    12,
    "def relu(x):",
    "relu is never called",
    (),
    "0 calls",
    None,
    "likely",
)


def parameters(verdict: str, count: int = 4) -> tuple[ProgramParameter, ...]:
    """As many parameters, of which the first has the ``verdict`` and the others are right."""
    first = ProgramParameter("W0", (4, 2), verdict, 0.1, 1e-12 if verdict == "right" else 0.34)
    rest = (ProgramParameter(f"W{at}", (4,), "right", 0.1, 1e-12) for at in range(1, count))
    return (first, *rest)


WRONG = ProgramCheck(
    "net.py",
    sys.executable,
    (),
    ProgramLoop("net.py", 51, "train"),
    ProgramLoop("net.py", 49, "train"),
    8,
    ProgramLoss("own", "net.py", 31, "loss = np.mean((y - a2) ** 2)", 0.25),
    True,
    parameters("wrong"),
    (LINE,),
    "--- net.py\n+++ net.py\n@@ -44 +44 @@\n",
    False,
)
RIGHT = ProgramCheck(
    "net.py",
    sys.executable,
    (),
    ProgramLoop("net.py", 51, None),
    None,
    8,
    ProgramLoss("squared-error", "net.py", 30, "a2 - y", None),
    True,
    parameters("right"),
    (),
    None,
    True,
)
UNTOLD = ProgramCheck(
    "net.py",
    sys.executable,
    (),
    None,
    None,
    0,
    None,
    False,
    (),
    (),
    None,
    None,
    reason="no loop was found whose turns change what lasts",
    option="--loop LINE",
)
TEXT = st.text(max_size=12)
MAYBE = st.none() | TEXT
SOME_LINE = st.none() | st.integers(1, 10**6)
LOOPS = st.builds(ProgramLoop, TEXT, st.integers(1, 10**6), MAYBE)


def checks(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[ProgramCheck]:
    """Answers with ``numbers`` in them."""
    number = st.none() | numbers
    parameters = st.builds(
        ProgramParameter,
        TEXT,
        st.lists(st.integers(0, 99), max_size=3).map(tuple),
        st.sampled_from(VERDICTS),
        number,
        number,
    )
    findings = st.builds(
        ProgramFinding,
        TEXT,
        MAYBE,
        SOME_LINE,
        MAYBE,
        TEXT,
        st.lists(TEXT, max_size=2).map(tuple),
        TEXT,
        MAYBE,
        st.sampled_from(CONFIDENCES),
    )
    words = st.lists(TEXT, max_size=2).map(tuple)
    return st.builds(
        ProgramCheck,
        program=TEXT,
        python=TEXT,
        arguments=words,
        loop=st.none() | LOOPS,
        epoch_loop=st.none() | LOOPS,
        updates=st.integers(0, 100),
        loss=st.none() | st.builds(ProgramLoss, TEXT, MAYBE, SOME_LINE, MAYBE, number),
        confirmed=st.booleans(),
        parameters=st.lists(parameters, max_size=3).map(tuple),
        findings=st.lists(findings, max_size=2).map(tuple),
        diff=MAYBE,
        ok=st.sampled_from((True, False, None)),
        loss_asked=st.booleans(),
        others=st.lists(LOOPS, max_size=2).map(tuple),
        optimiser=TEXT,
        seed=st.none() | st.integers(0, 2**32 - 1),
        seeded_by_us=st.booleans(),
        left_out=words,
        refused=st.lists(st.builds(Refusal, TEXT, MAYBE, SOME_LINE), max_size=2).map(tuple),
        notes=words,
        reason=TEXT,
        option=TEXT,
        mended_ok=st.sampled_from((True, False, None)),
    )
