"""Runs inside a container on the servers' network: tells when an address answers for the first time.

Reads lines of JSON {"id": …, "host": …, "port": …, "path": …} and writes one line {"id": …, "status": …,
"body": …} for each once something answers there. The benchmark hands the file to `python -c`.
"""

import asyncio
import json
import sys

PAUSE = 0.015


async def ask(host: str, port: int, path: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode("utf-8", "replace").partition("\r\n\r\n")
        return int(head.split(" ", 2)[1]), body
    finally:
        writer.close()


async def watch(order: dict) -> None:
    while True:
        try:
            status, body = await asyncio.wait_for(ask(order["host"], order["port"], order["path"]), 60)
        except (OSError, TimeoutError, IndexError, ValueError):
            await asyncio.sleep(PAUSE)
            continue
        print(json.dumps({"id": order["id"], "status": status, "body": body}), flush=True)
        return


async def main() -> None:
    loop = asyncio.get_running_loop()
    watches = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        watches.add(asyncio.ensure_future(watch(json.loads(line))))


asyncio.run(main())
