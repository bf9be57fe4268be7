"""What benchmarks share: the seconds and the memory that a command takes, and the name of the processor."""

import os
import platform
import subprocess
import sys
import time


def measure(command, environment, may_end_with=(), folder=None):
    """Wall and CPU seconds, the largest process in MB, and the output of a command."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, cwd=folder)
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, *may_end_with):
        sys.exit(f"{command[0]} ended with {child.returncode}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024, "said": said.strip()}


def processor():
    models = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{len(models)} cores, {models[0]}" if models else platform.machine()
