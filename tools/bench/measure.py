"""Runs the variants, interleaved, and gathers what each run cost."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.bench.endpoint import Endpoint
from tools.bench.variants import Caller, Enrolment, Variant, environment, event_of

_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True)
class Sample:
    """One run of one variant in a fresh process. Times are CPU milliseconds unless they are called wall.

    Attributes
    ----------
    start : float
        The interpreter's own start, until the first line that it was given.
    init : float
        Importing the handler: what Lambda calls init.
    first, warm : float
        The first request, and the mean of the warm ones (0 where none was measured).
    first_wall, init_wall, warm_wall : float
        The same by the clock.
    peak_mib : float
        The most memory that the process ever held.
    cold_peak_mib : float
        The same, up to the end of the first request.
    calls : tuple of str
        What one warm request (else the first) asked of AWS.
    bytes_sent, bytes_received : float
        HTTP to and from AWS, per request.
    endpoint : float
        What the stand-in for AWS used for one request; not part of the other times.
    response_bytes : int
        Length of the answer's body.
    modules : tuple of str
        Top-level packages in memory after the first request, without the standard library.
    late_modules : tuple of str
        Modules that the first request imported.
    """

    start: float
    init: float
    first: float
    warm: float
    init_wall: float
    first_wall: float
    warm_wall: float
    peak_mib: float
    cold_peak_mib: float
    calls: tuple[str, ...]
    bytes_sent: float
    bytes_received: float
    endpoint: float
    response_bytes: int
    modules: tuple[str, ...]
    late_modules: tuple[str, ...]

    @property
    def cold(self) -> float:
        """A whole cold start: from the start of the interpreter to the first answer."""
        return self.start + self.init + self.first


class Bench:
    """Runs variants against one stand-in for AWS.

    Parameters
    ----------
    endpoint : Endpoint
        The stand-in.
    setup : Variant
        The setup function, by which the user enrols who is in the other variants' requests.
    """

    def __init__(self, endpoint: Endpoint, setup: Variant) -> None:
        self._endpoint = endpoint
        self._caller = Caller()
        endpoint.reset(keys=self._caller.keys())
        no_enrolment = Enrolment("", {"none": None})
        answer = self._execute(setup, no_enrolment, warm_up=0, requests=0)["answer"]
        self._enrolment = Enrolment.of(answer, endpoint.reset()["put"], now=time.time())

    def run(self, variant: Variant) -> Sample:
        """Run a variant once.

        Raises
        ------
        RuntimeError
            It failed, or gave another answer than the right one.
        """
        self._endpoint.reset(item=self._enrolment.items[variant.item])
        measured = self._execute(variant, self._enrolment, variant.warm_up, variant.requests)
        traffic = self._endpoint.reset()
        _check(variant, measured["answer"])
        answered = 1 + variant.warm_up + variant.requests
        calls: list[str] = traffic["calls"]
        return Sample(
            start=1e3 * measured["start_cpu"],
            init=1e3 * measured["init_cpu"],
            first=1e3 * measured["first_cpu"],
            warm=1e3 * _mean(measured["warm_cpu"]),
            init_wall=1e3 * measured["init_wall"],
            first_wall=1e3 * measured["first_wall"],
            warm_wall=1e3 * _mean(measured["warm_wall"]),
            peak_mib=measured["peak_kib"] / 1024,
            cold_peak_mib=measured["peak_cold_kib"] / 1024,
            calls=tuple(calls[-round(len(calls) / answered) :]) if len(calls) >= answered else (),
            bytes_sent=traffic["bytes_received"] / answered,
            bytes_received=traffic["bytes_sent"] / answered,
            endpoint=1e3 * traffic["cpu_seconds"] / answered,
            response_bytes=len(measured["answer"].get("body", "")),
            modules=tuple(measured["modules"]),
            late_modules=tuple(measured["late_modules"]),
        )

    @property
    def stored_item(self) -> dict[str, Any]:
        """The item of an enabled user, as DynamoDB has it."""
        return dict(self._enrolment.items["enabled"] or {})

    def _execute(self, variant: Variant, enrolment: Enrolment, warm_up: int, requests: int) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.json"
            plan = {
                "event": event_of(variant, enrolment, self._caller, time.time()),
                "warm_up": warm_up,
                "requests": requests,
                "result": str(result),
            }
            # What the function logs goes to a file, as it does on Lambda to a socket.
            with (Path(folder) / "log").open("wb") as log:
                finished = subprocess.run(  # noqa: S603 - our own programs
                    variant.command,
                    input=json.dumps(plan).encode(),
                    env=environment(self._endpoint.url),
                    stdout=log,
                    stderr=subprocess.PIPE,
                    timeout=_TIMEOUT_SECONDS,
                    check=False,
                )
            if finished.returncode:
                raise RuntimeError(f"{variant.name}: {finished.stderr.decode()}")
            measured: dict[str, Any] = json.loads(result.read_text())
            return measured


def measure(bench: Bench, variants: Sequence[Variant], rounds: int) -> dict[str, list[Sample]]:
    """Run every variant once in each round, so that whatever else the machine does meets all of them alike."""
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        sys.stderr.write(f"  round {number + 1} of {rounds}\n")
        for variant in variants:
            samples[variant.name].append(bench.run(variant))
    return samples


def _check(variant: Variant, answer: dict[str, Any]) -> None:
    if variant.route is None:
        right = answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    else:
        right = answer["statusCode"] == variant.answers_with
    if not right:
        raise RuntimeError(f"{variant.name} answered {json.dumps(answer)[:500]}")


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0
