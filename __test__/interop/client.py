"""A client made with the `websockets` package, for ferrows as the server.

`client.py URL exchange` sends each payload, expects it back, pings, and closes; `client.py URL listen` waits for the
server to close. Prints one line of JSON with the exchange.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from payloads import BINARY, CLOSE_CODE, CLOSE_REASON, LONG_TEXT, TEXT


async def main(url, what):
    seen = {"echoes": []}
    # Keep-alive is off: its pings would wake up a peer that has failed to flush.
    options = {"subprotocols": ["chat", "superchat"], "max_size": 2**20, "ping_interval": None}
    async with connect(url, **options) as connection:
        seen["subprotocol"] = connection.subprotocol
        if what == "exchange":
            for payload in (TEXT, BINARY, LONG_TEXT, "", b""):
                await connection.send(payload)
                seen["echoes"].append(await connection.recv() == payload)
            # A message in three fragments.
            await connection.send(["one, ", "two, ", "three"])
            seen["echoes"].append(await connection.recv() == "one, two, three")
            await (await connection.ping(b"are you there?"))
            seen["pong"] = True
            await connection.close(CLOSE_CODE, CLOSE_REASON)
        else:
            try:
                await connection.recv()
            except ConnectionClosed:
                pass
        await connection.wait_closed()
        seen["code"] = connection.close_code
        seen["reason"] = connection.close_reason
    print(json.dumps(seen), flush=True)


asyncio.run(main(*sys.argv[1:3]))
