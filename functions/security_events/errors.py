"""The error of a failed invocation."""


class BatchFailedError(Exception):
    """An unexpected exception stopped a batch. The reason is only in the log."""
