"""A server made with the `websockets` package, for ferrows as the client.

Prints its port, then one line of JSON for each connection that has ended. `/echo` echoes until the
client closes; `/ping` pings, waits for the pong, and closes. Ends when standard input does.
"""

import asyncio
import json
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from payloads import CLOSE_CODE, CLOSE_REASON


async def handle(connection):
    try:
        if connection.request.path == "/ping":
            await (await connection.ping(b"are you there?"))
            await connection.close(CLOSE_CODE, CLOSE_REASON)
        else:
            async for message in connection:
                await connection.send(message)
    except ConnectionClosed:
        pass
    await connection.wait_closed()
    print(json.dumps({"code": connection.close_code, "reason": connection.close_reason}), flush=True)


async def main():
    # Keep-alive is off: its pings would wake up a peer that has failed to flush.
    options = {"subprotocols": ["superchat"], "max_size": 2**20, "ping_interval": None}
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
