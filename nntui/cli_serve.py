"""`nntui serve`: the app in a browser, for a class."""

import click

from nntui.core.errors import ConfigError

MISSING = "nntui serve needs the extra web: pip install 'nntui[web]'"


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    show_default=True,
    help="Where it can be reached.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port there."
)
@click.option(
    "--visitors",
    type=click.IntRange(1, 1000),
    default=40,
    show_default=True,
    help="The most at once.",
)
def serve(host: str, port: int, visitors: int) -> None:
    """Open the app to browsers, for a class.

    Each visitor gets the library and presets that are typed or pasted in; nothing is kept, no file
    is read or written for them, and no program is run.  Without --host only this machine reaches
    it; --host 0.0.0.0 lets the network in, without a password.
    """
    try:
        from nntui.serving.class_server import ClassServer
    except ImportError:
        raise ConfigError("", MISSING) from None
    try:
        ClassServer(host, port, visitors).serve()
    except OSError as error:
        raise ConfigError(
            "", f"{host}:{port} cannot be served: {error.strerror or error}"
        ) from None
