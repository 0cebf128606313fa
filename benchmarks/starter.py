"""Starts processes and times them, from a process that is small itself.

Linux counts among a process's peak memory what the process that started it had at that moment. Reads one command a
line from its standard input, as JSON, and answers each with a line.
"""

import json
import os
import subprocess
import sys
import time


def run(command, folder, environment):
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    return {
        "seconds": time.perf_counter() - started,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "kilobytes": usage.ru_maxrss,
        "exit_code": os.waitstatus_to_exitcode(status),
        "told": told.decode(errors="replace"),
    }


for line in sys.stdin:
    print(json.dumps(run(**json.loads(line))), flush=True)
