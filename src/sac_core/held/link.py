"""A link to a holder: one byte stream, many calls and channels."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from anyio.abc import ByteStream

from sac_core.errors import ConflictError, DeadlineError, InvalidError, LostError, NotFoundError, UnavailableError
from sac_core.held.carrying import Carrier, carry
from sac_core.held.channel import Channel
from sac_core.held.listening import BodyStream, Listener
from sac_core.held.process import HeldProcess
from sac_core.held.records import (
    Hello,
    ProcessRecord,
    error_of,
    exit_of,
    hello_of,
    malformed,
    record_of,
    records_of,
    text_of,
)
from sac_core.held.silence import UNNOTICED, Silence
from sac_core.models.process import Command, Exit
from sac_core.wire import holder as wire

DEADLINE = 10.0
"""Seconds that a holder may take to answer a call or to take what is sent."""


IMPATIENT = 2.0
"""Seconds for a call to a holder that has left the one before unanswered, and has sent nothing since."""


class HolderLink:
    """Calls to one holder. Made by `open_link`; safe to use from many tasks at once.

    ``closed`` is set when the stream is lost: every pending and later call then raises `LostError`.
    """

    hello: Hello

    carrier: Carrier

    def __init__(self, deadline: float, on_exit: Callable[[str, Exit], None] | None, silence: Silence) -> None:
        self.closed = anyio.Event()
        self._deadline = deadline
        self._on_exit = on_exit
        self._silence = silence
        self._silent = False
        self._lost: LostError | None = None
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._channels: dict[int, Channel] = {}
        self._processes: dict[str, HeldProcess] = {}
        self._listeners: dict[str, Listener] = {}
        self._streams: dict[int, BodyStream] = {}
        self._dialled: dict[str, BodyStream | None] = {}
        self._dials: set[int] = set()
        self._decoder = wire.Decoder()

    async def open_process(self, process_id: str, command: Command) -> HeldProcess:
        """Run a command; the same id again is the same process.

        Raises `NotFoundError` when the program or the folder does not exist in the body.
        """
        tty = None if command.tty is None else {"cols": command.tty.cols, "rows": command.tty.rows}
        fields: dict[str, object] = {"argv": list(command.argv), "env": dict(command.env), "cwd": command.cwd}
        fields |= {"tty": tty, "stdin": command.stdin, "overflow": command.overflow}
        return await self._held(process_id, "open", fields)

    async def process(self, process_id: str) -> HeldProcess | None:
        """A process that the holder has, running or ended; None when it has no such process."""
        try:
            return await self._held(process_id, "get", {})
        except NotFoundError:
            return None

    async def _held(self, process_id: str, call: str, fields: dict[str, object]) -> HeldProcess:
        known = self._processes.get(process_id)
        process = known or HeldProcess(self, process_id)
        self._processes[process_id] = process
        try:
            answer = await self.call(call, {"process": process_id, **fields})
            record = answer if call == "get" else await self._record(process_id, answer)
        except BaseException:
            if known is None:
                self._processes.pop(process_id, None)
            raise
        ended = record_of(record).exit if record else None
        if ended is not None:
            process.ended(ended)
        return process

    async def _record(self, process_id: str, opened: dict[str, Any]) -> dict[str, Any] | None:
        """A process that was there before may have ended before we listened."""
        return None if opened.get("created") else await self.call("get", {"process": process_id})

    async def record(self, process_id: str) -> ProcessRecord | None:
        """What the holder knows of one process; None when it has no such process."""
        try:
            return record_of(await self.call("get", {"process": process_id}))
        except NotFoundError:
            return None

    async def list(self) -> tuple[ProcessRecord, ...]:
        """Every process that the holder has, ended ones too."""
        return records_of(await self.call("list", {}))

    async def forget(self, process_id: str) -> None:
        """Drop the log and the exit of an ended process; unknown is success."""
        with suppress(NotFoundError):
            await self.call("forget", {"process": process_id})
        known = self._processes.get(process_id)
        if known is not None:
            self.let_go(known)

    async def call(self, name: str, fields: Mapping[str, object], *, extra: float = 0.0) -> dict[str, Any]:
        """One call and its answer; `DeadlineError` when it takes longer than the deadline plus ``extra`` seconds."""
        number = self._request(name, fields)
        reply: asyncio.Future[dict[str, Any]]
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        deadline = (min(self._deadline, IMPATIENT) if self._silent else self._deadline) + extra
        try:
            with anyio.fail_after(deadline):
                return await reply
        except TimeoutError:
            raise self._unanswered(name, deadline) from None
        finally:
            self._replies.pop(number, None)

    def _unanswered(self, name: str, deadline: float) -> DeadlineError:
        silence, began, self._silent = self._silence, not self._silent, True
        if began:
            silence.told()
        return DeadlineError(f"{silence.holder} did not answer {name!r} in {deadline:g} s", hint=silence.hint)

    def _request(self, name: str, fields: Mapping[str, object]) -> int:
        if self._lost is not None:
            raise LostError(self._lost.message)
        number = next(self._ids)
        frame = wire.encode_json(wire.CALL, 0, {"id": number, "call": name, **fields})
        if len(frame) > wire.MAX_PAYLOAD:
            raise InvalidError("the command is too long", hint=f"at most {wire.MAX_PAYLOAD} bytes in all")
        self.carrier.post(frame)
        return number

    # channels: for HeldProcess

    async def attach(self, process_id: str, since: int | None, window: int) -> Channel:
        """A channel to a process; ``window`` 0 is for input only."""
        channel = Channel(next(self._numbers), window, self._credit)
        self._channels[channel.number] = channel
        try:
            fields = {"process": process_id, "channel": channel.number, "since": since, "window": window}
            await self.call("attach", fields)
        except BaseException:
            self.detach(channel)
            raise
        return channel

    def detach(self, channel: Channel) -> None:
        """Let go of a channel; what is still on its way is dropped."""
        if self._channels.pop(channel.number, None) is not None and self._lost is None:
            self._request("detach", {"channel": channel.number})

    async def send_input(self, channel: Channel, data: bytes) -> None:
        """Put input on its way."""
        await self.carrier.room()
        if self._lost is not None:
            raise LostError(self._lost.message)
        channel.sent += len(data)
        self.carrier.post(wire.encode(wire.INPUT, channel.number, data))

    def _credit(self, number: int, count: int) -> None:
        if number in self._channels and self._lost is None:
            self.carrier.post(wire.encode(wire.CREDIT, number, wire.CREDIT_SIZE.pack(count)))

    def let_go(self, process: HeldProcess) -> None:
        """A handle is used no more."""
        if self._processes.get(process.id) is process:
            del self._processes[process.id]

    # connections in the body

    async def dial(self, port: int) -> BodyStream:
        """A stream to a TCP port of the body's loopback; `NotReadyError` (``NothingListens``) when nothing does.

        Raises `UnavailableError` when `MAX_DIALS` are open: streams that the body begins have room beside them.
        """
        self._require_room()
        token = str(next(self._numbers))
        self._dialled[token] = None
        try:
            await self.call("dial", {"port": port, "token": token})
            stream, self._dialled[token] = self._dialled[token], None
        finally:
            unwanted = self._dialled.pop(token)
            if unwanted is not None:
                unwanted.drop()
        if stream is None:
            raise malformed("answer to dial")
        return stream

    def _require_room(self) -> None:
        self._dials &= self._streams.keys()
        if len(self._dials) + len(self._dialled) >= wire.MAX_DIALS:
            message = f"{wire.MAX_DIALS} connections to this agent's ports are open, more cannot be"
            raise UnavailableError(message, reason="Busy", retry_after=1)

    @asynccontextmanager
    async def listen(self, path: str) -> AsyncIterator[Listener]:
        """Listen at a unix socket in the body as long as this is open; a relative path is one of the holder's folder.

        Raises `InvalidError` when nothing can listen there, `ConflictError` when this link already does.
        """
        if path in self._listeners:
            raise ConflictError(f"the link listens at {path!r} already")
        self._listeners[path] = listener = Listener(path)
        try:
            await self.call("listen", {"path": path})
            yield listener
        finally:
            del self._listeners[path]
            listener.close()
            if self._lost is None:
                self._request("unlisten", {"path": path})

    async def send_stream(self, number: int, data: bytes) -> None:
        """Bytes of a stream that began in the body; none is their end."""
        await self.carrier.room()
        if number in self._streams:
            self.carrier.post(wire.encode(wire.DATA, number, data))

    def credit_stream(self, number: int, count: int) -> None:
        """Bytes of a stream were consumed."""
        if number in self._streams and self._lost is None:
            self.carrier.post(wire.encode(wire.CREDIT, number, wire.CREDIT_SIZE.pack(count)))

    def drop_stream(self, number: int) -> None:
        """A stream is used no more."""
        if self._streams.pop(number, None) is not None and self._lost is None:
            self._request("detach", {"channel": number})

    def _stream_frame(self, frame: wire.Frame) -> None:
        stream = self._streams.get(frame.channel)
        if frame.type == wire.EVENT:
            self._stream_event(frame.channel, wire.decode_json(frame.payload))
        elif stream is None:
            return  # its last bytes, on their way when it was dropped
        elif frame.type == wire.DATA:
            stream.put(frame.payload)
        elif frame.type == wire.CREDIT and len(frame.payload) == wire.CREDIT_SIZE.size:
            stream.allow(*wire.CREDIT_SIZE.unpack(frame.payload))
        else:
            raise malformed("frame: its type is unknown")

    def _stream_event(self, number: int, event: dict[str, Any]) -> None:
        stream, kind = self._streams.get(number), event.get("event")
        if kind == "dialled" and stream is None:
            self._take_dialled(number, text_of(event, "token", "dialled event"))
        elif kind == "accepted" and stream is None:
            self._accepted(number, text_of(event, "path", "accepted event"))
        elif stream is not None and kind in ("eof", "closed"):
            stream.finish()
            if kind == "closed":
                self._streams.pop(number, None)
                stream.lose("the body closed the stream")

    def _take_dialled(self, number: int, token: str) -> None:
        """Registered at once: its bytes may be right behind. Who dialled may have gone."""
        stream = self._new_stream(number)
        if token in self._dialled:
            self._dialled[token] = stream
            self._dials.add(number)
        else:
            stream.drop()

    def _accepted(self, number: int, path: str) -> None:
        stream = self._new_stream(number)
        listener = self._listeners.get(path)
        if listener is None or not listener.offer(stream):
            stream.drop()

    def _new_stream(self, number: int) -> BodyStream:
        if len(self._streams) >= wire.MAX_STREAMS:
            raise malformed("stream: it has too many already")
        self._streams[number] = stream = BodyStream(self, number)
        return stream

    # the stream

    def received(self, data: bytes) -> None:
        """Bytes of the holder."""
        self._silent = False
        try:
            for item in self._decoder.feed(data):
                if isinstance(item, wire.Output):
                    self._output(item)
                else:
                    self._frame(item)
        except LostError as error:
            self.carrier.lose(error.message)

    def _output(self, output: wire.Output) -> None:
        channel = self._channels.get(output.channel)
        if channel is not None:
            channel.put(output.chunk)

    def _frame(self, frame: wire.Frame) -> None:
        if frame.channel >= wire.LISTENED:
            self._stream_frame(frame)
        elif frame.type == wire.REPLY:
            self._reply(wire.decode_json(frame.payload))
        elif frame.type == wire.EVENT:
            self._event(frame.channel, wire.decode_json(frame.payload))
        else:
            raise malformed("frame: its type is unknown")

    def _reply(self, body: dict[str, Any]) -> None:
        number = body.get("id")
        reply = self._replies.get(number) if type(number) is int else None
        if reply is None or reply.done():
            return
        answer = body.get("ok")
        if isinstance(answer, dict):
            reply.set_result(answer)
        else:
            reply.set_exception(error_of(body.get("error")))

    def _event(self, number: int, event: dict[str, Any]) -> None:
        channel = self._channels.get(number)
        if channel is not None:
            channel.told(event)
        elif number == 0 and event.get("event") == "exit":
            process_id, exit = text_of(event, "process", "exit"), exit_of(event)
            process = self._processes.get(process_id)
            if process is not None:
                process.ended(exit)
            if self._on_exit is not None:
                self._on_exit(process_id, exit)

    def lose(self, message: str) -> None:
        """The stream is of no use any more: everyone who waits is told."""
        if self._lost is not None:
            return
        self._lost = error = LostError(message)
        self.closed.set()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(LostError(message))
        for process in list(self._processes.values()):
            process.lose(error)
        for channel in self._channels.values():
            channel.lose(error)
        for listener in self._listeners.values():
            listener.close()
        for stream in self._streams.values():
            stream.lose(message)


@asynccontextmanager
async def open_link(
    stream: ByteStream,
    *,
    deadline: float = DEADLINE,
    on_exit: Callable[[str, Exit], None] | None = None,
    silence: Silence = UNNOTICED,
) -> AsyncIterator[HolderLink]:
    """Greet the holder at the other end of ``stream`` and yield a link; the stream is closed at the end.

    ``on_exit`` is called with every exit of a process that the holder tells from now on; `HolderLink.hello` has those
    before. ``deadline`` is in seconds, ``silence`` for when it passes. Raises `LostError`, `DeadlineError`, or
    `UnsupportedError` for another version.
    """
    link = HolderLink(deadline, on_exit, silence)
    async with carry(stream, deadline, link.received, link.lose) as link.carrier:
        link.hello = hello_of(await link.call("hello", {"versions": [wire.VERSION]}))
        yield link
