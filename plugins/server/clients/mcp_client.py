"""Drives `postil mcp` and `/mcp` with the unmodified mcp package; arguments: address, program, database."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


async def drive(read, write):
    async with ClientSession(read, write) as session:
        await session.initialize()
        tools = {tool.name for tool in (await session.list_tools()).tools}
        assert {"search", "fetch", "ask", "get", "status"} <= tools, tools
        found = await session.call_tool("search", {"query": "parental leave"})
        assert "leave.md" in found.content[0].text, found
        answer = await session.call_tool("ask", {"question": "How many days of parental leave?"})
        assert "forty" in answer.content[0].text, answer
        assert (await session.list_resources()).resources


async def main(address, program, database):
    async with streamable_http_client(f"{address.rstrip('/')}/mcp") as streams:
        await drive(streams[0], streams[1])
    start = StdioServerParameters(
        command=program, args=["mcp", database, "--published", "--generator", "quote"]
    )
    async with stdio_client(start) as (read, write):
        await drive(read, write)
    print("mcp: as expected")


asyncio.run(main(*sys.argv[1:]))
