"""Runs one handler in a fresh interpreter, as Lambda does, and measures what it costs.

Started as ``python -I -S -B runner.py PACKAGES MODULE``, it imports only the standard library and the packages, not
the virtual environment. It reads the plan as JSON from standard input and writes the measurement as JSON to the file
that the plan names. Standard output is the function's log.
"""

import sys

_IMPORTED_BEFORE = frozenset(sys.modules)

import time  # noqa: E402 - the list above must be taken before anything is imported

_PROCESS_STARTED_CPU = time.process_time()


def _measure(packages: str, module: str) -> dict[str, object]:
    import importlib
    import json
    import os

    plan = json.load(sys.stdin)
    sys.path[:0] = packages.split(os.pathsep)
    before_cpu = time.process_time()
    handler = importlib.import_module(module).lambda_handler
    at_init = set(sys.modules)
    ready_cpu = time.process_time()
    response = handler(plan["event"], None)
    first_cpu = time.process_time()
    late_modules = sorted(set(sys.modules) - at_init)
    packages_used = {name.partition(".")[0] for name in set(sys.modules) - _IMPORTED_BEFORE}
    # Extension modules with a leading underscore belong to a package, or to the standard library.
    modules = sorted(name for name in packages_used - sys.stdlib_module_names if not name.startswith("_"))
    for _ in range(plan["warm_up"]):
        handler(plan["event"], None)
    cpu, wall = [], []
    for _ in range(plan["requests"]):
        started_cpu, started_wall = time.process_time(), time.perf_counter()
        handler(plan["event"], None)
        cpu.append(time.process_time() - started_cpu)
        wall.append(time.perf_counter() - started_wall)
    return {
        "response": response,
        "start_cpu": _PROCESS_STARTED_CPU,
        "init_cpu": ready_cpu - before_cpu,
        "first_cpu": first_cpu - ready_cpu,
        "warm_cpu": cpu,
        "warm_wall": wall,
        "peak_kib": _peak_kib(),
        "modules": modules,
        "late_modules": late_modules,
        "result": plan["result"],
    }


def _peak_kib() -> int:
    """Return the most memory that was resident (Linux; ``getrusage`` would include the parent's)."""
    with open("/proc/self/status", encoding="utf-8") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    measured = _measure(*sys.argv[1:])
    import json

    with open(str(measured.pop("result")), "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(measured, file)
