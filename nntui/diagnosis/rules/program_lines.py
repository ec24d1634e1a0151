"""Wrong lines of a person's own program, beside those that share their name with a fault.

Nothing here looks for them: `nntui.program` does, and names them by these codes.
"""

from nntui.diagnosis.finding import MEASURED, PROOF, Rule

_REPAIR = (
    "the recorded update is replayed with {repair}: then the step of every parameter is along the "
    "gradient of the loss, in every state looked at; as the line stands it is not"
)
_SOURCE = (
    "counterfactual repair against reverse differentiation of the program's own operations, which "
    "central differences of the program confirm (Griewank and Walther 2008)"
)
_DISPROOF = "the line mended, and the update is still not the gradient of the loss"


def _line(code: str, title: str, repair: str) -> Rule:
    formula = _REPAIR.format(repair=repair)
    return Rule(code, title, PROOF, formula, _SOURCE, _DISPROOF, is_code_fault=True)


RULES: tuple[Rule, ...] = (
    _line(
        "own-output-for-input",
        "the gradient of a layer's weights is formed with its own output instead of its input",
        "the layer's input in the place of its output",
    ),
    _line(
        "derivative-missing",
        "the gradient passes an activation without being multiplied by its derivative",
        "the activation's derivative as a further factor",
    ),
    _line(
        "scalar-for-outer-product",
        "a single number, a dot product, stands where each weight needs a product of its own",
        "the outer product in the place of the dot product",
    ),
    _line(
        "transposed",
        "a matrix is transposed where it should not be, or the reverse",
        "the matrix transposed",
    ),
    Rule(
        "broadcast",
        "two arrays of different shapes, such as (n,) and (n, 1), combine to a larger one",
        PROOF,
        "the result of an elementwise operation has more elements than each of its operands, "
        "though both hold one number for each sample or unit",
        "the broadcasting rules of NumPy",
        "operands of one shape give the same numbers",
        is_code_fault=True,
    ),
    Rule(
        "shape-grows",
        "a parameter changes its shape in training",
        PROOF,
        "the shape of a parameter before an update is not its shape after it",
        "an update changes the numbers of a parameter, never how many there are",
        "a parameter that has one shape in all updates",
        is_code_fault=True,
    ),
    Rule(
        "softmax-axis",
        "the softmax is normalised over the wrong axis",
        PROOF,
        "exp(z)/sum exp(z) adds up to 1 over the samples, and not over the classes of a sample",
        "the softmax makes the outputs for one sample add up to 1 (Bridle 1990)",
        "the outputs for every sample add up to 1",
        is_code_fault=True,
    ),
    Rule(
        "not-finite",
        "an operation gives the first nan or infinity of the training",
        PROOF,
        "finite operands and a result that is not finite, earlier than any other",
        "IEEE 754: log(0), 0/0, and exp beyond 709.78",
        "all numbers of the training are finite",
        is_code_fault=True,
    ),
    Rule(
        "loss-not-minimised",
        "the printed loss is not the loss that the updates minimise",
        PROOF,
        "the steps are along the gradient of another loss, not along that of the printed number",
        _SOURCE,
        "steps along the gradient of the printed number",
    ),
    Rule(
        "never-called",
        "a function that belongs to the training is never called",
        MEASURED,
        "no call of it in the updates looked at",
        "counted while the program runs",
        "a call of it",
    ),
    Rule(
        "never-updated",
        "a parameter that the loss depends on is never changed",
        PROOF,
        "gradient of the loss not 0, and the same bits before and after every update",
        "reverse differentiation of the program's own operations",
        "an update that changes it",
        is_code_fault=True,
    ),
)
"""Their rules."""
