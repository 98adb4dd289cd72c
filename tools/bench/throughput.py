"""Requests per second through the whole emulated stack, by the number of connections.

The emulator is one Python process and therefore the upper limit. Its CPU load at each level shows whether it is the
bottleneck: as long as it is, the functions do not serialise requests.
"""

import http.client
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from functions.shared.contract import SETUP, STATUS, Endpoint
from local import lifecycle, ports, users
from local.progress import Progress
from local.stack import Place, Stack
from tools.bench.results import Level, Spread

CONNECTIONS: Final = (1, 2, 4, 8)
_WARM_UP_SECONDS: Final = 3.0


def throughput(seconds: float) -> list[Level]:
    """Start a stack, measure its throughput, and stop it.

    Parameters
    ----------
    seconds : float
        The duration of the measurement for each number of connections.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mfa-bench-") as folder,
        lifecycle.running(Place(ports.free_port(), Path(folder)), Progress()) as running,
    ):
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
    """Return the CPU time of a process, user and system (proc_pid_stat(5), fields 14 and 15)."""
    # The name, in parentheses, may contain spaces.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _load(stack: Stack, route: Endpoint, tokens: list[str], seconds: float) -> list[float]:
    """Return the latency in milliseconds of every request, sent over one connection per token."""
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
                raise RuntimeError(f"{route.path} returned {response.status}: {content[:300]!r}")
            latencies.append(1e3 * (time.perf_counter() - started))
    finally:
        connection.close()
    return latencies
