"""Requests a second through the whole embedded stack, by the number of connections.

The emulator is one Python process, so it sets the ceiling. How busy it is at each level tells whether it does: while
it is the one that is short of CPU, nothing of ours serialises requests.
"""

import http.client
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from functions.shared.contract import SETUP, STATUS, Endpoint
from local import lifecycle, ports, users
from local.progress import Progress
from local.stack import Place, Stack
from tools.bench.summary import Spread

CONNECTIONS: Final = (1, 2, 4, 8)
_WARM_UP_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Level:
    """What so many connections at a time reached.

    Attributes
    ----------
    latency : Spread
        Milliseconds by the clock.
    emulator_load : float
        CPU time of the emulator's process, without those of the functions, as a share of one core.
    """

    route: str
    connections: int
    requests_per_second: float
    latency: Spread
    emulator_load: float


@contextmanager
def _stack() -> Iterator[lifecycle.Running]:
    with tempfile.TemporaryDirectory(prefix="mfa-bench-") as folder:
        place = Place(ports.free_port(), Path(folder))
        with lifecycle.running(place, Progress()) as running:
            yield running


def throughput(seconds: float) -> list[Level]:
    """Start a stack, measure it, and take it down.

    Parameters
    ----------
    seconds : float
        How long each number of connections is measured.
    """
    with _stack() as running:
        stack, emulator = running.stack, running.server.process.pid
        tokens = [users.token(stack, f"user{number}@example.com") for number in range(max(CONNECTIONS))]
        _load(stack, SETUP, tokens, _WARM_UP_SECONDS)
        _load(stack, STATUS, tokens, _WARM_UP_SECONDS)
        return [
            _level(stack, emulator, route, tokens[:connections], seconds)
            for route in (SETUP, STATUS)
            for connections in CONNECTIONS
        ]


def _level(stack: Stack, emulator: int, route: Endpoint, tokens: list[str], seconds: float) -> Level:
    before = _cpu_seconds(emulator)
    milliseconds = _load(stack, route, tokens, seconds)
    used = _cpu_seconds(emulator) - before
    return Level(
        route=f"{route.method} {route.path}",
        connections=len(tokens),
        requests_per_second=len(milliseconds) / seconds,
        latency=Spread.of(milliseconds),
        emulator_load=used / seconds,
    )


def _cpu_seconds(process_id: int) -> float:
    """Return the CPU time of a process, user and system."""
    times = psutil.Process(process_id).cpu_times()
    return times.user + times.system


def _load(stack: Stack, route: Endpoint, tokens: list[str], seconds: float) -> list[float]:
    """Return the latency of every request that as many connections as tokens got an answer to."""
    until = time.perf_counter() + seconds
    with ThreadPoolExecutor(len(tokens)) as pool:
        loads = pool.map(lambda token: _one(stack, route, token, until), tokens)
        return [each for latencies in loads for each in latencies]


def _one(stack: Stack, route: Endpoint, token: str, until: float) -> list[float]:
    url = urlsplit(stack.api_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=60)
    latencies = []
    try:
        while (started := time.perf_counter()) < until:
            connection.request(route.method, url.path + route.path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            content = response.read()
            if response.status != http.client.OK:
                raise RuntimeError(f"{route.path} answered {response.status}: {content[:300]!r}")
            latencies.append(1e3 * (time.perf_counter() - started))
    finally:
        connection.close()
    return latencies
