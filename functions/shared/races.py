"""Keeps a request that loses a race from revealing whether its code was right (docs/adr/0092).

Of parallel guesses only one is counted: the one whose write wins. The responses to all others must be the same and take
the same time for right and wrong codes. But a right code causes more work before the write: above all the signature of
a proof, which can be slow or fail.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from functions.shared.errors import ConflictError, ServiceUnavailableError
from functions.shared.record import MfaRecord
from functions.shared.repository import MfaRepository
from functions.shared.signing import SIGN, SIGNING_SECONDS

#: The least time in seconds from the comparison of a code to the response, for a request that loses a race.
LOST_RACE_SECONDS: Final = 0.5
#: The same where a right code is signed: longer than the slowest signature takes.
LOST_SIGNING_RACE_SECONDS: Final = LOST_RACE_SECONDS + SIGNING_SECONDS


@contextmanager
def losing_slowly(
    repository: MfaRepository, read: MfaRecord, *, signs: bool, pause: Callable[[float], None]
) -> Iterator[None]:
    """Run a block that compares a code and writes the result, and delay its `ConflictError`.

    A signature that fails is treated as if it had succeeded: if another request wrote meanwhile, this one has lost.

    Parameters
    ----------
    repository : MfaRepository
        Stores the records.
    read : MfaRecord
        The record that the request read.
    signs : bool
        Whether a right code is signed before the write.
    pause : callable
        Waits for a number of seconds.
    """
    began = time.perf_counter()

    def wait(seconds: float) -> None:
        pause(max(0.0, began + seconds - time.perf_counter()))

    try:
        try:
            yield
        except ServiceUnavailableError as error:
            if error.operation != SIGN:
                raise
            wait(LOST_RACE_SECONDS)  # until requests that read the same record have written
            stored = repository.get(read.user_id)
            if stored is None or stored.version != read.version:
                raise ConflictError from error
            raise
    except ConflictError:
        wait(LOST_SIGNING_RACE_SECONDS if signs else LOST_RACE_SECONDS)
        raise
