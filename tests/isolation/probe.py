"""Runs inside a student's server, with the standard library alone: what can be reached from here?

Reads a JSON list of [label, host, port] on its standard input and prints the labels that accepted a
TCP connection or answered at all, with the sockets and tokens it could find.
"""

from __future__ import annotations

import glob
import json
import os
import socket
import stat
import sys
from concurrent.futures import ThreadPoolExecutor


def reachable(target: list[str | int]) -> str | None:
    label, host, port = target
    try:
        with socket.create_connection((str(host), int(port)), timeout=2):
            return str(label)
    except ConnectionRefusedError:
        # The machine answered, only nobody listens there: the way to it is open.
        return f"{label} (refused by the machine itself)"
    except OSError:
        return None


def sockets() -> list[str]:
    paths = ["/var/run/docker.sock", "/run/docker.sock", *glob.glob("/run/**", recursive=True)]
    return sorted({path for path in paths if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)})


def gateways() -> list[str]:
    found = []
    with open("/proc/net/route") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if fields[1] == "00000000":
                found.append(".".join(str(int(fields[2][i : i + 2], 16)) for i in (6, 4, 2, 0)))
    return found


def main() -> None:
    targets = json.load(sys.stdin)
    for gateway in gateways():
        targets += [
            [f"gateway:{port}", gateway, port] for port in (22, 2375, 2376, 2377, 4789, 7946, 8000, 8001)
        ]
    with ThreadPoolExecutor(64) as pool:
        answers = [label for label in pool.map(reachable, targets) if label]
    with open("/proc/self/status") as file:
        status = file.read()
    print(
        json.dumps(
            {
                "reached": answers,
                "sockets": sockets(),
                "gateways": gateways(),
                "token": os.environ.get("JUPYTERHUB_API_TOKEN", ""),
                "api": os.environ.get("JUPYTERHUB_API_URL", ""),
                "uid": os.getuid(),
                "status": {
                    key: value.strip()
                    for key, _, value in (line.partition(":") for line in status.splitlines())
                    if key in {"CapEff", "CapBnd", "NoNewPrivs", "Seccomp"}
                },
            }
        )
    )


main()
