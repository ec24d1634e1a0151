"""The same update in PyTorch and in JAX, if they are installed."""

import itertools
from collections.abc import Callable
from typing import Any

from nntui.bench.baselines import Steps
from nntui.bench.measurement import void

ROWS = [[0.1, 0.2], [0.5, 0.3], [0.2, 0.4], [0.3, 0.7], [0.5, 0.5], [0.4, 0.3]]
TARGETS = [[0.3], [0.8], [0.6], [1.0], [1.0], [0.7]]
SIZES = (2, 4, 4, 1)


def torch_eager() -> Steps | None:
    """``add-relu`` without its faults in eager PyTorch, float64; None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    torch.manual_seed(0)
    layers: list[Any] = []
    for inputs, units in itertools.pairwise(SIZES):
        layers += [torch.nn.Linear(inputs, units, dtype=torch.float64), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.tensor(ROWS, dtype=torch.float64)
    y = torch.tensor(TARGETS, dtype=torch.float64)

    def steps(count: int) -> None:
        for update in range(count):
            row = slice(update % 6, update % 6 + 1)
            optimiser.zero_grad()
            loss = ((model(x[row]) - y[row]) ** 2).sum()
            loss.backward()
            optimiser.step()

    return steps


def jax_update() -> tuple[Any, Any, Callable[[Any, int], Any]] | None:
    """The module jax, ``parameters(seed)`` and ``update(parameters, row)``; None without JAX."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    x, y = jnp.array(ROWS), jnp.array(TARGETS)

    def loss(parameters: Any, row: Any) -> Any:
        a = x[row]
        for W, b in parameters:
            a = jnp.maximum(W @ a + b, 0.0)
        return jnp.sum((a - y[row]) ** 2)

    def update(parameters: Any, row: Any) -> Any:
        gradient = jax.grad(loss)(parameters, row)
        return jax.tree.map(lambda p, g: p - 0.01 * g, parameters, gradient)

    def parameters(seed: int) -> Any:
        keys = jax.random.split(jax.random.PRNGKey(seed), 6)
        pairs = list(itertools.pairwise(SIZES))
        return [
            (
                jax.random.normal(keys[2 * k], (units, inputs)),
                jax.random.normal(keys[2 * k + 1], (units,)),
            )
            for k, (inputs, units) in enumerate(pairs)
        ]

    return jax, parameters, update


def jax_single() -> Steps | None:
    """One network in JAX with jit, one call per update; None without JAX."""
    found = jax_update()
    if found is None:
        return None
    jax, parameters, update = found
    compiled, state = jax.jit(update), parameters(0)
    state = jax.block_until_ready(compiled(state, 0))

    def steps(count: int) -> None:
        nonlocal state
        for number in range(count):
            state = compiled(state, number % 6)
        jax.block_until_ready(state)

    return steps


def jax_square(replicas: int | None, updates: int) -> Steps | None:
    """``square-leaky-relu`` in JAX: a scan over ``updates``, of one network or of ``replicas``.

    None without JAX.
    """
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    x = jnp.linspace(0.0, 1.0, 201)[None, :]
    y = x**2

    def loss(parameters: Any) -> Any:
        a = x
        for W, b in parameters:
            a = jax.nn.leaky_relu(W @ a + b, 0.01)
        return jnp.sum((a - y) ** 2) / 201

    def update(parameters: Any, _: Any) -> Any:
        gradient = jax.grad(loss)(parameters)
        decayed = [
            (gW + 1e-8 / 201 * W, gb) for (W, _), (gW, gb) in zip(parameters, gradient, strict=True)
        ]
        return jax.tree.map(lambda p, g: p - 1e-6 * g, parameters, decayed), None

    def parameters(seed: int) -> Any:
        keys = jax.random.split(jax.random.PRNGKey(seed), 2)
        return [
            (jax.random.normal(key, (units, inputs)) * (2 / inputs) ** 0.5, jnp.zeros((units, 1)))
            for key, (units, inputs) in zip(keys, ((64, 1), (1, 64)), strict=True)
        ]

    def train(state: Any) -> Any:
        return jax.lax.scan(update, state, None, length=updates)[0]

    if replicas is None:
        compiled, state = jax.jit(train), parameters(0)
    else:
        compiled = jax.jit(jax.vmap(train))
        state = jax.vmap(parameters)(jnp.arange(replicas))
    jax.block_until_ready(compiled(state))
    return lambda _: void(jax.block_until_ready(compiled(state)))


def jax_many(replicas: int, updates: int) -> Steps | None:
    """``replicas`` networks in JAX: vmap over seeds, scan over ``updates``; None without JAX."""
    found = jax_update()
    if found is None:
        return None
    jax, parameters, update = found
    rows = jax.numpy.arange(updates) % 6

    def train(state: Any) -> Any:
        return jax.lax.scan(lambda s, row: (update(s, row), None), state, rows)[0]

    compiled = jax.jit(jax.vmap(train))
    state = jax.vmap(parameters)(jax.numpy.arange(replicas))
    jax.block_until_ready(compiled(state))

    def steps(count: int) -> None:
        jax.block_until_ready(compiled(state))

    return steps
