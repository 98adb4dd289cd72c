"""What can go wrong for the person at the keyboard, with what to do about it."""


class LocalError(Exception):
    """A failure that its message explains in full; the command line prints it without a traceback."""
