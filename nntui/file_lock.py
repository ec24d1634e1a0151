"""Locks on files: the kernel gives them up for a process that ends, so they tell who is alive."""


def lock(descriptor: int) -> bool:
    """Lock an open file; False where another process has locked it, or files cannot be locked."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
