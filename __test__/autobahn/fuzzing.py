"""Runs the Autobahn cases by `kosoku`, as the client (`fuzzing.py some client URL`) or as the server (`fuzzing.py some
server`). `all` in place of `some` adds those of compression that take long.

Prints JSON: the server its port first; both, when done, `{"complete": bool, "verdicts": {case: [behavior, close]}}`.
Ends at once when standard input does. If a case failed, kosoku tells of the failed cases only: `complete` is false then.
"""

import asyncio
import importlib
import json
import os
import sys
import threading

import kosoku
from kosoku._caseindex import initialize_shims

# 12 (payloads) and 13 (parameters) are compression: 18 cases a group, of a thousand messages each. From 1 to 10 these
# become longer, from 11 to 18 they are in fragments.
LONG = [f"{section}.*.{number}" for section in (12, 13) for number in (2, 3, *range(5, 11), *range(12, 19))]


def excluded(extent):
    return LONG if extent == "some" else []


def mend_cases():
    """Twelve cases of section 13 are given short texts as `str` by the runner and want `bytes`, whoever the peer is."""
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


# Whoever started this may be gone before the cases are done.
threading.Thread(target=end_with_input, daemon=True).start()
mend_cases()
asyncio.run(main(*sys.argv[1:]))
