"""Runs the variants, interleaved, and collects what each run cost."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tools.bench.fake_aws import StandIn, TrafficCount
from tools.bench.variants import BenchIssuer, Enrolment, Variant, environment, event_of

_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True)
class Sample:
    """One run of one variant in a fresh process. Times are CPU milliseconds, except ``warm_wall``.

    Attributes
    ----------
    start : float
        The interpreter's own start, up to the first line of the runner.
    init : float
        Importing the handler: Lambda's init phase.
    first, warm : float
        The first request, and the mean of the warm ones (0 if none were measured).
    warm_wall : float
        Elapsed milliseconds of a warm request.
    peak_mib : float
        The most memory that the process held.
    calls : tuple of str
        AWS calls of one warm request, or of the first if no warm one was measured.
    bytes_sent, bytes_received : float
        HTTP to and from AWS, per request.
    stand_in : float
        What the stand-in for AWS used per request; not part of the other times.
    response_bytes : int
        Length of the response's body.
    log_bytes : float
        What the function logged per request.
    modules : tuple of str
        Top-level packages in memory after the first request, without the standard library.
    late_modules : tuple of str
        Modules that the first request imported.
    """

    start: float
    init: float
    first: float
    warm: float
    warm_wall: float
    peak_mib: float
    calls: tuple[str, ...]
    bytes_sent: float
    bytes_received: float
    stand_in: float
    response_bytes: int
    log_bytes: float
    modules: tuple[str, ...]
    late_modules: tuple[str, ...]

    @property
    def cold(self) -> float:
        """A whole cold start: from the start of the interpreter to the first response."""
        return self.start + self.init + self.first


class Bench:
    """Runs variants against one stand-in for AWS. ``setup`` enrols the user of all other requests."""

    def __init__(self, stand_in: StandIn, setup: Variant) -> None:
        self._stand_in = stand_in
        self._issuer = BenchIssuer()
        stand_in.keys = self._issuer.keys()
        response = self._execute(replace(setup, warm_up=0, requests=0), Enrolment("", {"none": None}))["response"]
        self._enrolment = Enrolment.of(response, stand_in.put or {}, now=time.time())

    def run(self, variant: Variant) -> Sample:
        """Run a variant once.

        Raises
        ------
        RuntimeError
            The variant failed or returned a wrong response.
        """
        self._stand_in.item = self._enrolment.items[variant.item]
        self._stand_in.traffic = traffic = TrafficCount()
        measured = self._execute(variant, self._enrolment)
        _check(variant, measured["response"])
        answered = 1 + variant.warm_up + variant.requests
        calls = traffic.calls
        return Sample(
            start=1e3 * measured["start_cpu"],
            init=1e3 * measured["init_cpu"],
            first=1e3 * measured["first_cpu"],
            warm=1e3 * _mean(measured["warm_cpu"]),
            warm_wall=1e3 * _mean(measured["warm_wall"]),
            peak_mib=measured["peak_kib"] / 1024,
            calls=tuple(calls[-round(len(calls) / answered) :]) if len(calls) >= answered else (),
            bytes_sent=traffic.bytes_received / answered,
            bytes_received=traffic.bytes_sent / answered,
            stand_in=1e3 * traffic.cpu_seconds / answered,
            response_bytes=len(measured["response"].get("body", "")),
            log_bytes=measured["log_bytes"] / answered,
            modules=tuple(measured["modules"]),
            late_modules=tuple(measured["late_modules"]),
        )

    @property
    def stored_item(self) -> dict[str, Any]:
        """The item of an enabled user, in DynamoDB's format."""
        return dict(self._enrolment.items["enabled"] or {})

    def _execute(self, variant: Variant, enrolment: Enrolment) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            result, lines = Path(folder) / "result.json", Path(folder) / "log"
            plan = {
                "event": event_of(variant, enrolment, self._issuer, time.time()),
                "warm_up": variant.warm_up,
                "requests": variant.requests,
                "result": str(result),
            }
            # The function's log goes to a file, as it goes to a socket on Lambda.
            with lines.open("wb") as log:
                finished = subprocess.run(  # noqa: S603 - our own programs
                    variant.command,
                    input=json.dumps(plan).encode(),
                    env=environment(self._stand_in.url),
                    stdout=log,
                    stderr=subprocess.PIPE,
                    timeout=_TIMEOUT_SECONDS,
                    check=False,
                )
            if finished.returncode:
                raise RuntimeError(f"{variant.name} failed:\n{finished.stderr.decode()}")
            measured: dict[str, Any] = json.loads(result.read_text())
            return measured | {"log_bytes": lines.stat().st_size}


def measure(bench: Bench, variants: Sequence[Variant], rounds: int) -> dict[str, list[Sample]]:
    """Run every variant once in each round, so that other load on the machine affects all of them alike."""
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        sys.stderr.write(f"  round {number + 1} of {rounds}\n")
        for variant in variants:
            samples[variant.name].append(bench.run(variant))
    return samples


def _check(variant: Variant, response: dict[str, Any]) -> None:
    if variant.route is None:
        right = response["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    else:
        right = response["statusCode"] == variant.status
    if not right:
        raise RuntimeError(f"{variant.name} returned {json.dumps(response)[:500]}")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
