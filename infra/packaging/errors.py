"""The one way in which building a package fails."""


class PackagingError(Exception):
    """A package cannot be built; the message says why and what to do about it."""
