"""A Dask cluster as the executor of a sweep; needs the extra ``nntui[dask]``."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from nntui.core.errors import ConfigError, quoted

PATIENCE = 10
"""Seconds to wait for the scheduler."""


@contextmanager
def cluster(address: str | None) -> Iterator[Executor | None]:
    """An executor on the Dask scheduler at ``address``; None if the address is None.

    Raises ConfigError if Dask is not installed or the scheduler does not answer.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError(
            "--scheduler", "needs the package distributed: pip install 'nntui[dask]'"
        ) from None
    connect: Any = Client  # the package has no types
    try:
        client = connect(address, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError("--scheduler", f"no answer at {quoted(address)} ({error})") from None
    with client:
        yield client.get_executor()
