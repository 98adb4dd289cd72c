"""How an invocation fails."""


class BatchFailedError(Exception):
    """A batch could not be processed for a reason that nobody foresaw. The log tells the reason; this says nothing."""
