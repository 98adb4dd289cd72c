"""Errors of the command line whose messages say what to do."""


class LocalError(Exception):
    """A failure that the message explains in full; the command line prints it without a traceback."""
