"""Users who attack in parallel, each with one request at a time."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final

from functions.shared.contract import ENDPOINTS, Endpoint
from tests.support.http_user import HttpUser, NewUser

LARGE: Final = 6
#: Enrolments use the code of the step before, which is valid for the rest of the present step.
_SECONDS_TO_ENROL: Final = 4
_WARM_UPS: Final = 2


class Crowd:
    """Users of the deployed API. Each may need its own process of each function."""

    def __init__(self, new_user: NewUser, *, size: int) -> None:
        self._users = [new_user(f"crowd-{number}@example.com") for number in range(size)]
        self._free: SimpleQueue[HttpUser] = SimpleQueue()
        for user in self._users:
            self._free.put(user)

    def warm_up(self, routes: Iterable[Endpoint] = ENDPOINTS) -> None:
        """Start the processes that the requests need: on a busy machine that takes longer than a request may."""
        with ThreadPoolExecutor(len(self._users)) as pool:
            for route in routes:
                for _ in range(_WARM_UPS):
                    list(pool.map(lambda user: user.call(route, {"code": "000000"}), self._users))  # noqa: B023 - done

    def run[T, R](
        self, trials: Sequence[T], attempt: Callable[[HttpUser, T], R], progress: Callable[[str], None]
    ) -> list[R]:
        """Run each trial with a user who has nothing stored; a failure names its trial."""

        def tried(trial: T) -> R:
            user = self._free.get()
            try:
                user.forget()
                user.fresh_time_step(_SECONDS_TO_ENROL)
                return attempt(user, trial)
            except AssertionError as error:
                raise AssertionError(f"{trial}: {error}") from error
            finally:
                self._free.put(user)

        results = []
        with ThreadPoolExecutor(len(self._users)) as pool:
            for number, result in enumerate(pool.map(tried, trials), start=1):
                results.append(result)
                if number % 50 == 0:
                    progress(f"{number} of {len(trials)}")
        return results
