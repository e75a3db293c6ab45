"""A real server of event streams in a thread, and a plain client to hear it with."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import ClassVar

import uvicorn
from asgiref.typing import ASGIApplication

from live.stream import PATH


@contextmanager
def served(app: ASGIApplication, port: int = 0) -> Iterator[int]:
    """Serve `app` on 127.0.0.1 and give the port."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1, backlog=4096
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield int(door.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)
        door.close()


class Ear:
    """One open event stream, read line by line."""

    all: ClassVar[list[Ear]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.all.append(self)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = ""

    @classmethod
    async def open(cls, port: int, query: str, cookie: str = "", method: str = "GET") -> Ear:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        extra = f"Cookie: {cookie}\r\n" if cookie else ""
        path = query if query.startswith("/") else f"{PATH}?{query}"
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: test\r\n{extra}\r\n".encode())
        ear = cls(reader, writer)
        ear.status = int((await reader.readline()).split()[1])
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            ear.headers[name.lower()] = value
        if "content-length" in ear.headers:
            ear.body = (await reader.readexactly(int(ear.headers["content-length"]))).decode()
        return ear

    async def next(self, *wanted: str, timeout: float = 5.0) -> tuple[str, str]:
        """The next event of a kind in `wanted`, as its name and data."""
        async with asyncio.timeout(timeout):
            name = ""
            while line := await self._reader.readline():
                text = line.decode().strip()
                if text == "0":  # the last, empty chunk
                    break
                if text.startswith("event: "):
                    name = text.removeprefix("event: ")
                elif text.startswith("data: ") and name in wanted:
                    return name, text.removeprefix("data: ")
            raise EOFError("the stream has ended")

    async def hears_nothing(self, *unwanted: str, within: float = 0.3) -> bool:
        """Whether no event of a kind in `unwanted` comes."""
        try:
            await self.next(*unwanted, timeout=within)
        except TimeoutError:
            return True
        return False

    async def close(self) -> None:
        self._writer.close()


def run(story: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run one story and hang up all its lines."""

    async def whole() -> None:
        try:
            await story()
        finally:
            for ear in Ear.all:
                await ear.close()
            Ear.all.clear()
            await asyncio.sleep(0)

    asyncio.run(whole())


async def opened(port: int, query: str) -> Ear:
    """An open stream whose server is listening to Redis already."""
    ear = await Ear.open(port, query)
    assert ear.status == 200
    while (await ear.next("beat"))[1].split()[1] != "live":
        pass
    return ear
