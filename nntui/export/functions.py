"""Functions that a script may define, for each target; a script has those that it calls."""

import re

NUMPY = {
    "sigmoid": """
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))
""",
    "softmax": '''
def softmax(z):
    """Shares that add up to 1 over the units of a layer."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
''',
    "gelu": """
def gelu(z):
    near = np.clip(z, -40.0, 40.0)  # beyond, the tanh is 1
    return 0.5 * z * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (near + 0.044715 * near**3)))
""",
    "gelu_slope": """
def gelu_slope(z):
    near = np.clip(z, -40.0, 40.0)
    bend = np.tanh(np.sqrt(2.0 / np.pi) * (near + 0.044715 * near**3))
    inner = np.sqrt(2.0 / np.pi) * (1.0 + 3 * 0.044715 * near**2)
    return 0.5 * (1.0 + bend + near * (1.0 - bend**2) * inner)
""",
    "normalise": '''
def normalise(a):
    """Each sample centred and scaled over the units of the layer."""
    centred = a - a.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
''',
    "through_normalise": '''
def through_normalise(upstream, a, h):
    """dL/da from upstream = dL/dh."""
    spread = np.sqrt(a.var(axis=1, keepdims=True) + 1e-5)
    along = (upstream * h).mean(axis=1, keepdims=True)
    return (upstream - upstream.mean(axis=1, keepdims=True) - h * along) / spread
''',
    "through_softmax": '''
def through_softmax(upstream, a):
    """dL/dz from upstream = dL/da."""
    return a * (upstream - (upstream * a).sum(axis=1, keepdims=True))
''',
    "binary_cross_entropy": '''
def binary_cross_entropy(z, y):
    """The sum of -y log(a) - (1 - y) log(1 - a) for a = sigmoid(z)."""
    return np.sum(np.maximum(z, 0.0) - z * y + np.log1p(np.exp(-np.abs(z))))
''',
    "categorical_cross_entropy": '''
def categorical_cross_entropy(z, y):
    """The sum of -y log(a) for a = softmax(z)."""
    shifted = z - z.max(axis=1, keepdims=True)
    return np.sum(y * (np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted))
''',
    "clip_value": '''
def clip_value(*gradients):
    """Each number of the gradients, cut to between minus and plus CLIP_VALUE."""
    return [np.clip(g, -CLIP_VALUE, CLIP_VALUE) for g in gradients]
''',
    "clip_norm": '''
def clip_norm(*gradients):
    """The gradients, shrunk together to the norm CLIP_NORM if theirs is larger."""
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * (CLIP_NORM / norm) if norm > CLIP_NORM else g for g in gradients]
''',
    "momentum_step": '''
def momentum_step(p, g, velocity, rate):
    """Change the parameters p in place along their gradient g."""
    velocity *= MOMENTUM
    velocity += g
    p -= rate * velocity
''',
    "nesterov_step": '''
def nesterov_step(p, g, velocity, rate):
    """Change the parameters p in place along their gradient g."""
    velocity *= MOMENTUM
    velocity += g
    p -= rate * (g + MOMENTUM * velocity)
''',
    "rmsprop_step": '''
def rmsprop_step(p, g, square, rate):
    """Change the parameters p in place along their gradient g."""
    square *= RHO
    square += (1.0 - RHO) * g**2
    p -= rate * g / (np.sqrt(square) + EPSILON)
''',
    "adam_step": '''
def adam_step(p, g, mean, square, t, rate):
    """Change the parameters p in place along their gradient g, in update t (the first is 1)."""
    mean *= BETA1
    mean += (1.0 - BETA1) * g
    square *= BETA2
    square += (1.0 - BETA2) * g**2
    seen1, seen2 = 1.0 - BETA1**t, 1.0 - BETA2**t
    p -= rate * (mean / seen1) / (np.sqrt(square / seen2) + EPSILON)
''',
}

PYTORCH = {
    "as_if": '''
def as_if(value, other):
    """``value``, through which backpropagation passes as if it were ``other``."""
    return value.detach() + (other - other.detach())
''',
    "clip_value": '''
def clip_value(*parameters):
    """Cut each number of the gradients to between minus and plus CLIP_VALUE."""
    for p in parameters:
        p.grad.clamp_(-CLIP_VALUE, CLIP_VALUE)
''',
    "clip_norm": '''
def clip_norm(*parameters):
    """Shrink the gradients together to the norm CLIP_NORM if theirs is larger."""
    norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
    if norm > CLIP_NORM:
        for p in parameters:
            p.grad *= CLIP_NORM / norm
''',
}


def needed(functions: dict[str, str], text: str) -> list[str]:
    """The definitions that ``text`` calls, in their order; none of them calls another."""
    return [
        definition.strip("\n")
        for name, definition in functions.items()
        if re.search(rf"\b{name}\(", text)
    ]
