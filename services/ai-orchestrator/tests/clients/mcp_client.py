"""The Model Context Protocol's own client against the service: handshake or none, tools, calls, confirmation, errors."""

import asyncio
import sys

import httpx2
from mcp import MCPError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

URL, MEMBER, VIEWER = sys.argv[1] + "/mcp", sys.argv[2], sys.argv[3]


def connect(token, mode):
    http = httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60)
    return Client(streamable_http_client(URL, http_client=http), mode=mode)


async def tools_of(client):
    tools, cursor = {}, None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools.update({tool.name: tool for tool in page.tools})
        cursor = page.next_cursor
        if cursor is None:
            return tools


async def use(mode, version):
    async with connect(MEMBER, mode) as client:
        assert client.protocol_version == version, client.protocol_version
        assert client.server_info.name == "bizosaas", client.server_info
        assert client.server_capabilities.logging is None and client.server_capabilities.tools is not None
        tools = await tools_of(client)
        assert tools["crm_todos_list"].annotations.read_only_hint is True
        assert tools["crm_todos_delete"].annotations.destructive_hint is True
        for title in (mode, mode + " goes"):
            made = await client.call_tool("crm_todos_create", {"title": title})
            assert not made.is_error and made.structured_content["title"] == title, made
        listed = await client.call_tool("crm_todos_list", {})
        goes = next(item for item in listed.structured_content["items"] if item["title"] == mode + " goes")
        asked = await client.call_tool("crm_todos_delete", {"id": goes["id"]})
        assert asked.is_error, asked
        confirm = asked.content[0].text.split('"confirm": "')[1].split('"')[0]
        done = await client.call_tool("crm_todos_delete", {"id": goes["id"], "confirm": confirm})
        assert not done.is_error and done.structured_content["deleted"] is True, done
        wrong = await client.call_tool("crm_todos_create", {"title": 7})
        assert wrong.is_error and "title" in wrong.content[0].text, wrong
        for unknown in ("nothing",):
            try:
                await client.call_tool(unknown, {})
                raise SystemExit("a tool that is not there was called")
            except MCPError as error:
                assert error.error.code == -32602, error


async def main():
    await use("auto", "2026-07-28")
    await use("legacy", "2025-11-25")
    async with connect(VIEWER, "auto") as client:
        tools = await tools_of(client)
        assert "crm_todos_list" in tools and "crm_todos_create" not in tools, sorted(tools)
    try:
        async with connect("wrong", "auto"):
            raise SystemExit("a wrong token was taken")
    except* (MCPError, httpx2.HTTPError) as group:
        assert group.exceptions
    print("all good")


asyncio.run(main())
