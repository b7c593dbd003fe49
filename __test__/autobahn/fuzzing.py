"""Runs the Autobahn cases by `kosoku`, as the client (`fuzzing.py client URL`) or as the server (`fuzzing.py server`).

Prints JSON: the server its port first; both, when done, `{"complete": bool, "verdicts": {case: [behavior, close]}}`.
Ends at once when standard input does. If a case failed, kosoku tells of the failed cases only: `complete` is false then.
"""

import asyncio
import json
import os
import sys
import threading

import kosoku

# Compression: not negotiated, so there is nothing to see.
EXCLUDED = ["12.*", "13.*"]


async def as_client(url):
    return await kosoku.run_fuzzingclient(url, exclude_cases=EXCLUDED, concurrency=2)


async def as_server():
    async with kosoku.run_fuzzingserver(exclude_cases=EXCLUDED, port=0) as server:
        print(json.dumps({"port": server.port}), flush=True)
        return await server.get_result()


async def main(role, *url):
    complete = True
    try:
        results = await (as_client(*url) if role == "client" else as_server())
    except kosoku.FailureError as error:
        complete = False
        results = error.results
    verdicts = {
        result.case_id: [result.behavior.value, result.behavior_close.value] for result in results
    }
    print(json.dumps({"complete": complete, "verdicts": verdicts}), flush=True)


def end_with_input():
    sys.stdin.read()
    os._exit(1)


# Whoever started this may be gone before the cases are done.
threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(main(*sys.argv[1:]))
