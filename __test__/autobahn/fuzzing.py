"""Runs the Autobahn cases by `kosoku`, as the client (`fuzzing.py some client URL`) or as the server (`fuzzing.py some
server`). `all` instead of `some` adds the long cases of compression.

Prints JSON: the server its port first; both, at the end, `{"complete": bool, "verdicts": {case: [behavior, close]}}`. Exits as
soon as standard input ends. If a case failed, kosoku reports the failed cases only, and `complete` is false.
"""

import asyncio
import importlib
import json
import os
import sys
import threading

import kosoku
from kosoku._caseindex import initialize_shims

# 12 (payloads) and 13 (parameters) are compression: 18 cases a group, of a thousand messages each. The messages grow from case
# 1 to 10, and are fragmented from 11 to 18.
LONG = [f"{section}.*.{number}" for section in (12, 13) for number in (2, 3, *range(5, 11), *range(12, 19))]


def excluded(extent):
    return LONG if extent == "some" else []


def mend_cases():
    """Twelve cases of section 13 need `bytes` for short texts, and the runner passes `str`."""
    initialize_shims()
    module = importlib.import_module("case12_x_x")
    for case in module.Case12_X_X + module.Case13_X_X:
        case.onMessage = with_bytes(case.onMessage)


def with_bytes(on_message):
    def with_payload(self, payload, binary):
        on_message(self, payload.encode("utf-8") if isinstance(payload, str) else payload, binary)

    return with_payload


async def as_client(cases, url):
    return await kosoku.run_fuzzingclient(url, exclude_cases=cases, concurrency=2)


async def as_server(cases):
    async with kosoku.run_fuzzingserver(exclude_cases=cases, port=0) as server:
        print(json.dumps({"port": server.port}), flush=True)
        return await server.get_result()


async def main(extent, role, *url):
    complete = True
    cases = excluded(extent)
    try:
        results = await (as_client(cases, *url) if role == "client" else as_server(cases))
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


# The parent may be gone before the cases are done.
threading.Thread(target=end_with_input, daemon=True).start()
mend_cases()
asyncio.run(main(*sys.argv[1:]))
