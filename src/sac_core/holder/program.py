"""The holder: parent of every process of a body, owner of their terminals and output logs; speaks `sac.holder.v1`.

Started as ``python -I -S program.py --dir FOLDER --uid UID``; see `OPTIONS`. It binds ``holder.sock`` in its folder,
holds a lock on ``lock`` for its life, and writes ``pid`` when it is ready. One file, standard library only, Python 3.8
and later. Not asyncio: an idle holder is small, and a terminal's bytes go from the kernel to the log and from there to
the socket without another copy.
"""

from __future__ import annotations

import bisect
import errno
import fcntl
import heapq
import json
import os
import resource
import selectors
import signal
import socket
import stat
import struct
import sys
import termios
import time
from contextlib import suppress

TYPE_CHECKING = False  # typing itself would cost an idle holder half a megabyte
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Set, Tuple, Union

    Body = Dict[str, Any]
    Size = Tuple[int, int]  # columns and rows
    Exit = Dict[str, Any]
    Buffer = Union[bytes, bytearray, memoryview]

VERSION = "sac.holder.v1"
HEADER = struct.Struct(">IBI")
OUTPUT = struct.Struct(">BQ")
CREDIT_SIZE = struct.Struct(">I")
CALL, REPLY, EVENT, DATA, INPUT, CREDIT = 1, 2, 3, 4, 5, 6
TTY, STDOUT, STDERR = 0, 1, 2

KIB = 1024
MIB = 1024 * KIB
MAX_PAYLOAD = MIB
WINDOW = 256 * KIB  # the most input bytes on their way to one process
SEGMENT = 64 * KIB
FIRST = 128  # of the first segment, which grows: a terminal that has shown a prompt needs no more
DROP_LOG = 4 * MIB
BLOCK_LOG = 512 * KIB
ALL_LOGS = 256 * MIB  # shared by all logs that drop; each keeps at least one segment more than the newest
MAX_RUNS = 4096  # changes between stdout and stderr that one log remembers
GULP = 128 * KIB
FRAME = 256 * KIB
RECEIVE = 64 * KIB
OUT_LIMIT = MIB  # answers that a connection has not read: over this, it is not listened to
OUT_MAX = 8 * MIB  # and over this it is closed
MAX_PROCESSES = 2048
MAX_CONNECTIONS = 64
MAX_CHANNELS = 16384
MAX_LISTENERS = 16  # of one connection
MAX_STREAMS = 112  # of one connection; what they may have on their way together is less than OUT_MAX
STREAM_WINDOW = 64 * KIB  # bytes on their way in each direction of a stream
DIAL_TIMEOUT = 10.0
MAX_REPORT = MIB
LINGER = 0.2  # seconds that a descendant may keep the output open after the process's exit
START_TIMEOUT = 20.0
RECHECK = 0.05
MOMENT = 0.001  # seconds that the acknowledgement of a key waits for its echo
LOOK_FIRST, LOOK_LAST = 0.05, 1.0  # seconds between looks at a terminal that its process has closed
HIGHEST_BIT = 0x80000000
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
IUTF8 = 0x4000

OPTIONS = {
    "dir": None,  # the body's folder; required
    "uid": None,  # the body's uid, told to its processes as SAC_BODY; required
    "cwd": ".",  # where processes start
    "grace": "5",  # seconds between asking processes to end and killing them; a file "grace" in the folder wins
    "lock-fd": "",  # an inherited descriptor of "lock", already locked
    "memory": "",  # limit of a process's address space, in bytes
    "processes": "",  # limit of the user's processes
    "nice": "",  # added to the niceness of processes
    "foreground": "",  # any value: do not become a daemon
}


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Violation(Exception):
    """The peer broke the protocol: its connection is closed, the others go on."""


# --- the system ------------------------------------------------------------------------------------------------------


def load_prctl() -> Any:
    """Linux's prctl, or None."""
    if not LINUX:
        return None
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None


def process_table() -> Dict[int, Tuple[int, int]]:
    """Every process of the system: pid -> (parent, session); empty where there is no /proc."""
    table = {}
    for name in os.listdir("/proc") if LINUX else ():
        if name.isdigit():
            fields = stat_fields(name)
            if fields and fields[0] not in ("Z", "X"):
                table[int(name)] = (int(fields[1]), int(fields[3]))
    return table


def stat_fields(pid: Union[int, str]) -> List[str]:
    """The fields of /proc/PID/stat from the state on; empty when it is gone."""
    try:
        with open("/proc/%s/stat" % pid, "rb") as file:
            return file.read().decode("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def start_time() -> int:
    """When this process started, in the kernel's ticks since boot; 0 where the system does not say."""
    fields = stat_fields("self") if LINUX else []
    return int(fields[19]) if fields else 0


def descendants() -> Dict[int, int]:
    """pid -> session of every living descendant. All of them on Linux, where orphans come to this process."""
    table = process_table()
    found: Dict[int, int] = {}
    for pid in table:
        line: List[int] = []
        at = pid
        while at in table and at not in found and at not in line:
            line.append(at)
            at = table[at][0]
            if at == MYSELF[0]:
                found.update((member, table[member][1]) for member in line)
                break
        else:
            if at in found:
                found.update((member, table[member][1]) for member in line)
    return found


MYSELF = [0]


def kill(pid: int, number: int) -> None:
    """Signal a process, or with a negative pid a group; gone is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def allow_files() -> Tuple[int, int]:
    """Allow this process as many descriptors as it may have; returns the limits that its processes shall have."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    return limits


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name[3:]
    except ValueError:
        return str(number)


def exit_of(status: int) -> Exit:
    """The exit record of a wait status."""
    if os.WIFSIGNALED(status):
        return {"code": None, "signal": signal_name(os.WTERMSIG(status)), "reason": ""}
    return {"code": os.WEXITSTATUS(status), "signal": None, "reason": ""}


def report(who: Any) -> None:
    """Write the error that is being handled to ``errors.log``, up to `MAX_REPORT` bytes in all."""
    import traceback

    with suppress(OSError):
        with open("errors.log", "a") as file:
            if file.tell() < MAX_REPORT:
                file.write("%s %s\n%s\n" % (time.ctime(), type(who).__name__, traceback.format_exc()))


# --- the log ---------------------------------------------------------------------------------------------------------


class Log:
    """The newest output of a process, in segments that the kernel reads into and writes from.

    Offsets count from the first byte. ``runs`` says which stream the bytes from an offset on belong to.
    """

    __slots__ = ("end", "first", "runs", "segments", "start")

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self.first = 0  # the number of the first segment that is kept
        self.segments: List[bytearray] = []
        self.runs: List[Tuple[int, int]] = []

    def room(self) -> memoryview:
        """Writable space after the end."""
        index, fill = self.end // SEGMENT - self.first, self.end % SEGMENT
        if index == len(self.segments):
            self.segments.append(bytearray(FIRST if self.end < FIRST else SEGMENT))
        tail = self.segments[index]
        if fill >= len(tail):
            tail = self.segments[index] = tail + bytes(min(SEGMENT, len(tail) * 8) - len(tail))
        return memoryview(tail)[fill:]

    def add(self, count: int, stream: int) -> None:
        """``count`` bytes were put into the room."""
        if not self.runs or self.runs[-1][1] != stream:
            self.runs.append((self.end, stream))
        self.end += count

    def trim(self, offset: int) -> None:
        """Forget what is before an offset."""
        self.start = max(self.start, min(offset, self.end))
        while self.segments and (self.first + 1) * SEGMENT <= self.start:
            del self.segments[0]
            self.first += 1
        if not self.segments:
            self.first = self.end // SEGMENT
        surplus = bisect.bisect_right(self.runs, (self.start, 9)) - 1
        if surplus > 0:
            del self.runs[:surplus]

    def piece(self, offset: int, limit: int) -> Tuple[int, List[memoryview]]:
        """The stream at an offset, and views of at most ``limit`` bytes of that stream from there."""
        run = bisect.bisect_right(self.runs, (offset, 9)) - 1
        until = self.runs[run + 1][0] if run + 1 < len(self.runs) else self.end
        until = min(until, offset + limit)
        views = []
        while offset < until:
            index, fill = offset // SEGMENT - self.first, offset % SEGMENT
            count = min(SEGMENT - fill, until - offset)
            views.append(memoryview(self.segments[index])[fill : fill + count])
            offset += count
        return self.runs[run][1], views


# --- processes -------------------------------------------------------------------------------------------------------


class Process:
    """A command: its terminal or pipes, its log, its input queue, its exit."""

    urgent = False
    __slots__ = (
        "argv", "attached", "block", "closers", "closing", "cwd", "done", "eof", "error_fd", "exit", "holder", "id",
        "input", "log", "master", "openers", "outputs", "patience", "paused", "pid", "queue", "size", "start",
        "unused", "writing",
    )  # fmt: skip

    def __init__(self, holder: Holder, command: Body) -> None:
        self.holder = holder
        self.id = command["process"]
        self.argv = [sys.intern(word) for word in command["argv"]]  # a thousand terminals run the same few commands
        self.cwd = command["cwd"]
        self.block = command["block"]
        self.size = command["tty"]  # a terminal's, else None
        self.pid = 0
        self.start = time.time()
        self.master = -1  # a terminal's descriptor; -1 is none
        self.input = -1  # where input goes
        self.outputs: Dict[int, int] = {}  # descriptor -> stream
        self.log = Log()
        self.queue: List[Any] = []  # [attachment, bytes], or None for the end of input
        self.writing = False  # waiting until the input takes more
        self.eof = False
        self.paused = False
        self.unused = 0.0  # seconds until the next look at a terminal that nobody has open; 0 when it is in use
        self.patience = LOOK_FIRST
        self.attached: Tuple[Attachment, ...] = ()
        self.exit: Optional[Exit] = None
        self.done = False  # exited, and no output follows
        self.closing = 0.0  # when what is left is killed
        self.closers: Tuple[Tuple[Connection, int], ...] = ()  # (connection, call id) that wait for the end
        self.openers: Tuple[Tuple[Connection, int], ...] = ()  # (connection, call id) that wait for the start
        self.error_fd = -1

    # starting

    def spawn(self, command: Body, child: Callable[[Body, Tuple[int, ...], int], None]) -> None:
        """Fork; the child runs ``child(fds)`` and execs. Its failure comes through ``error_fd``."""
        theirs = self.open_terminal(command) if command["tty"] else self.open_pipes(command["stdin"])
        self.error_fd, error_write = os.pipe()
        every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
        signal.pthread_sigmask(signal.SIG_BLOCK, every)
        try:
            self.pid = os.fork()
            if not self.pid:
                child(command, theirs, error_write)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            for fd in set(theirs):
                os.close(fd)
            os.close(error_write)

    def open_terminal(self, command: Body) -> Tuple[int, ...]:
        self.master, slave = os.openpty()
        set_size(self.master, command["tty"])
        self.input = self.master
        self.outputs = {self.master: TTY}
        if LINUX:
            mode = termios.tcgetattr(slave)
            mode[0] |= IUTF8
            termios.tcsetattr(slave, termios.TCSANOW, mode)
        return (slave, slave, slave)

    def open_pipes(self, stdin: bool) -> Tuple[int, ...]:
        if stdin:
            theirs, self.input = os.pipe()
        else:
            theirs = os.open(os.devnull, os.O_RDONLY)
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        self.outputs = {out: STDOUT, err: STDERR}
        return (theirs, out_write, err_write)

    def watch(self) -> None:
        """Take part in the loop."""
        for fd in self.fds():
            os.set_blocking(fd, False)
        for fd in self.outputs:
            self.holder.register(fd, READ, self)
        self.holder.register(self.error_fd, READ, self)

    def fds(self) -> Set[int]:
        found = set(self.outputs)
        found.update(fd for fd in (self.input, self.error_fd) if fd >= 0)
        return found

    def started(self) -> None:
        """The child has run its program, or said why it could not."""
        try:
            report = os.read(self.error_fd, 256).decode("ascii", "replace")
        except BlockingIOError:
            return
        self.holder.unregister(self.error_fd)
        os.close(self.error_fd)
        self.error_fd = -1
        openers, self.openers = self.openers, ()
        if report:
            self.holder.discard(self)
        for connection, number in openers:
            if report:
                connection.refuse(number, start_error(report, self.argv, self.cwd))
            else:
                connection.reply(number, {"created": True, "pid": self.pid})

    # output

    def ready(self, fd: int, mask: int) -> None:
        if fd == self.error_fd:
            self.started()
            return
        if mask & WRITE:
            self.feed()
        if mask & READ and fd in self.outputs:
            self.gulp(fd)

    def gulp(self, fd: int) -> None:
        """Read what there is, up to `GULP`."""
        log, stream, taken = self.log, self.outputs[fd], 0
        while taken < GULP:
            if self.block and self.full():
                self.pause()
                break
            room = log.room()
            count, ended = fill(fd, room)
            if count:
                log.add(count, stream)
                taken += count
            if ended:
                self.ended(fd)
            if count < len(room):
                break
        if taken:
            self.told()

    def told(self) -> None:
        """There is new output: drop what is too old, wake the readers."""
        log = self.log
        if not self.block:
            if log.end - log.start > self.holder.log_limit:
                log.trim(log.end - self.holder.log_limit)
            if len(log.runs) > MAX_RUNS:
                log.trim(log.runs[MAX_RUNS // 2][0])
        for attachment in self.attached:
            if attachment.credit > 0:
                attachment.connection.wake(attachment)

    def full(self) -> bool:
        log = self.log
        return log.end - log.start >= BLOCK_LOG or len(log.runs) > MAX_RUNS

    def pause(self) -> None:
        """Nobody has read the log: the process waits."""
        if not self.paused:
            self.paused = True
            for fd in self.outputs:
                self.holder.watch(fd, WRITE if self.writing and fd == self.input else 0, self)

    def consumed(self) -> None:
        """A reader took output; a log that blocks forgets what every reader has taken."""
        if not self.block:
            return
        taken = [attachment.acked for attachment in self.attached if attachment.window]
        if taken:
            self.log.trim(min(taken))
        if self.paused and not self.full():
            self.paused = False
            for fd in self.outputs:
                self.holder.watch(fd, READ | (WRITE if self.writing and fd == self.input else 0), self)

    def ended(self, fd: int) -> None:
        """Nobody has the other end open. Only for pipes, or once the process is reaped, that is the end."""
        if fd == self.master and not self.exit:
            self.leave_alone()
        else:
            self.close_output(fd)

    def leave_alone(self) -> None:
        """Keep a terminal that nobody has open: to close it would hang up a process that is about to end by itself."""
        self.unused = min(self.patience, LOOK_LAST)
        self.patience = 2 * self.unused
        self.holder.unregister(self.master)
        self.holder.after(self.unused, self.look)

    def look(self) -> None:
        """The process may have opened its terminal again."""
        if not self.unused or self.master < 0 or self.exit:
            return
        self.unused = 0.0
        self.holder.register(self.master, READ, self)
        self.writing = False
        self.feed()
        self.gulp(self.master)
        if not self.unused:
            self.patience = LOOK_FIRST

    def close_output(self, fd: int) -> None:
        del self.outputs[fd]
        if fd == self.master:
            self.drop_input()
            self.master = -1
        self.holder.unregister(fd)
        os.close(fd)
        if self.exit and not self.outputs:
            self.finish()

    # input

    def take_input(self, attachment: Attachment, data: bytes) -> None:
        if self.input < 0 or self.eof:
            attachment.say({"event": "input", "received": attachment.received, "closed": True})
            return
        self.queue.append([attachment, data])
        if not self.writing:
            self.feed()

    def feed(self) -> None:
        """Write queued input as far as the process's terminal or pipe takes it."""
        queue = self.queue
        told: List[Attachment] = []
        try:
            while queue and self.input >= 0:
                entry = queue[0]
                if entry is None:
                    del queue[0]
                    self.end_input()
                    continue
                count = os.write(self.input, entry[1])
                entry[0].received += count
                if entry[0] not in told:
                    told.append(entry[0])
                if count < len(entry[1]):
                    entry[1] = entry[1][count:]
                else:
                    del queue[0]
        except BlockingIOError:
            pass
        except OSError:
            self.drop_input()
        for attachment in told:
            attachment.acknowledge()
        self.want_write(bool(queue) and self.input >= 0)

    def want_write(self, wanted: bool) -> None:
        if wanted == self.writing or self.input < 0 or self.unused:
            return
        self.writing = wanted
        readable = READ if self.input in self.outputs and not self.paused else 0
        self.holder.watch(self.input, readable | (WRITE if wanted else 0), self)

    def end_input(self) -> None:
        """The end of input: a terminal's end-of-file character, or the pipe's end."""
        if self.master < 0:
            self.drop_input()
            return
        character = termios.tcgetattr(self.master)[6][termios.VEOF]
        os.write(self.master, character)

    def drop_input(self) -> None:
        """Nothing can be written any more."""
        if self.input >= 0 and self.input != self.master:
            self.holder.unregister(self.input)
            os.close(self.input)
        self.input = -1
        self.writing = False
        queue, self.queue = self.queue, []
        for attachment in {id(entry[0]): entry[0] for entry in queue if entry}.values():
            attachment.say({"event": "input", "received": attachment.received, "closed": True})

    # the end

    def signal(self, number: int) -> None:
        """Signal its group; for what a terminal's keys do, the terminal's foreground group."""
        if self.exit:
            return
        if self.master >= 0 and number in KEY_SIGNALS:
            group = self.foreground()
            if group:
                kill(-group, number)
                return
        kill(-self.pid, number)

    def foreground(self) -> int:
        try:
            return os.tcgetpgrp(self.master)
        except OSError:
            return 0

    def exited(self, status: int) -> None:
        """The process was reaped; its output may still follow."""
        self.exit = exit_of(status)
        if self.unused:
            self.unused = 0.0
            self.gulp(self.master)
        if not self.outputs:
            self.finish()
        else:
            self.holder.after(LINGER, self.linger)

    def linger(self) -> None:
        """Somebody keeps the output open: take what is there, then let go."""
        if self.done:
            return
        if self.closing and self.abandoned():
            for fd in list(self.outputs):
                self.close_output(fd)
            return
        if self.paused:
            self.holder.after(LINGER, self.linger)
            return
        for fd in list(self.outputs):
            taken = self.log.end
            self.gulp(fd)
            if fd in self.outputs and not (self.paused or self.log.end - taken >= GULP):
                self.close_output(fd)
        if self.outputs:
            self.holder.after(0 if not self.paused else LINGER, self.linger)

    def abandoned(self) -> bool:
        """Whether nobody will read what it still prints: who ends it need not wait for that."""
        return time.monotonic() >= self.closing or not any(each.window for each in self.attached)

    def finish(self) -> None:
        """Told once, after the last byte."""
        if self.done:
            return
        self.done = True
        self.drop_input()
        event = dict(self.exit or {}, event="exit", process=self.id)
        for connection in list(self.holder.connections):
            if connection.greeted:
                connection.send_json(EVENT, 0, event)
                connection.flush_soon()
        for attachment in self.attached:
            attachment.connection.wake(attachment)
        self.check_closed()

    def close(self, grace: float) -> None:
        """End it: ask, and kill what is left after ``grace`` seconds."""
        deadline = time.monotonic() + grace
        if self.closing and self.closing <= deadline:
            return
        first, self.closing = not self.closing, deadline
        if first and not self.exit:
            asked = signal.SIGHUP if self.master >= 0 else signal.SIGTERM
            for group in {self.pid, self.foreground() if self.master >= 0 else self.pid} - {0}:
                kill(-group, asked)
                kill(-group, signal.SIGCONT)
        self.check_closed()

    def fail(self) -> None:
        """Something in here went wrong: it is killed, and what it still prints is not read."""
        if not self.exit and self.pid:
            kill(-self.pid, signal.SIGKILL)
        for fd in list(self.outputs):
            self.close_output(fd)

    def check_closed(self) -> None:
        """Answer who waits for the end once the whole session is gone; kill what outlives the grace."""
        if not self.closing:
            return
        late = time.monotonic() >= self.closing
        members = [pid for pid, session in descendants().items() if session == self.pid] if LINUX else []
        if late:
            for pid in members:
                kill(pid, signal.SIGKILL)
            if not self.exit:
                kill(-self.pid, signal.SIGKILL)
        if self.done and not members:
            self.answer_closers()
        else:
            self.holder.after(RECHECK if self.done or late else self.closing - time.monotonic(), self.check_closed)

    def answer_closers(self) -> None:
        closers, self.closers = self.closers, ()
        self.closing = 0.0
        for connection, number in closers:
            connection.reply(number, self.exit or {})

    def record(self) -> Body:
        """What `list` tells."""
        return {
            "process": self.id,
            "pid": self.pid,
            "argv": shortened(self.argv),
            "tty": self.size is not None,
            "size": self.size and {"cols": self.size[0], "rows": self.size[1]},
            "start": self.log.start,
            "end": self.log.end,
            "started": self.start,
            "exit": self.exit if self.done else None,
        }


def fill(fd: int, room: memoryview) -> Tuple[int, bool]:
    """Read until the room is full or nothing is there: the bytes read, and whether none can follow."""
    filled, size = 0, len(room)
    try:
        while filled < size:
            count = os.readv(fd, (room[filled:],))
            if not count:
                return filled, True
            filled += count
            if count < KIB:  # very likely all there is
                break
    except BlockingIOError:
        pass
    except OSError:  # a terminal whose last user has gone says EIO
        return filled, True
    return filled, False


KEY_SIGNALS = {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH}


def shortened(argv: List[str]) -> List[str]:
    """The first words of a command, for lists."""
    text = [word[:60] for word in argv[:4]]
    return text if len(argv) <= 4 else [*text, "..."]


def set_size(fd: int, size: Size) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def start_error(report: str, argv: List[str], cwd: Optional[str]) -> Refused:
    """The error of a child that could not run its program: ``what:errno``."""
    what, _, number = report.partition(":")
    code = int(number) if number.isdigit() else 0
    subject = "the working folder %r" % (cwd or ".")[:400] if what == "cwd" else "the program %r" % argv[0][:200]
    if code in (errno.ENOENT, errno.ENOTDIR):
        return Refused("NotFound", "%s does not exist in the body" % subject)
    if code == errno.EACCES:
        return Refused("Forbidden", "%s may not be used: permission denied" % subject)
    return Refused("Invalid", "%s cannot be used: %s" % (subject, os.strerror(code)))


# --- connections -----------------------------------------------------------------------------------------------------


class Attachment:
    """One channel of a connection, bound to a process. A window of 0 is for input only."""

    __slots__ = (
        "acked",
        "acknowledged",
        "channel",
        "connection",
        "credit",
        "offset",
        "process",
        "queued",
        "received",
        "told",
        "window",
    )

    def __init__(self, connection: Connection, channel: int, process: Process, offset: int, window: int) -> None:
        self.connection = connection
        self.channel = channel
        self.process = process
        self.offset = offset  # of the next byte to send
        self.acked = offset  # all before it was consumed
        self.window = window
        self.credit = window
        self.queued = 0  # input bytes taken
        self.received = 0  # input bytes that the process has
        self.acknowledged = 0  # those that the server was told of
        self.told = False  # the exit was sent

    def say(self, event: Any) -> None:
        if self.connection.channels.get(self.channel) is self:
            self.connection.send_json(EVENT, self.channel, event)
            self.connection.flush_soon()

    def acknowledge(self) -> None:
        """Say how much the process has. What was typed waits a moment, for the echo to go with it."""
        if self.connection.channels.get(self.channel) is self:
            self.connection.send_json(EVENT, self.channel, {"event": "input", "received": self.received})
            if self.received - self.acknowledged < KIB:
                self.connection.flush_later()
            else:
                self.connection.flush_soon()
            self.acknowledged = self.received

    def take(self, data: bytes) -> None:
        self.queued += len(data)
        if self.queued - self.received > WINDOW:
            raise Violation("more input than the window")
        self.process.take_input(self, data)

    def allow(self, count: int) -> None:
        self.credit += count
        self.acked = min(self.acked + count, self.offset)
        self.process.consumed()
        self.connection.wake(self)

    def pending(self) -> bool:
        """Whether something can be sent now."""
        if not self.window:
            return False
        process = self.process
        return (self.credit > 0 and self.offset < process.log.end) or (
            process.done and self.offset >= process.log.end and not self.told
        )

    def release(self) -> None:
        self.connection.waiting.pop(self, None)
        process = self.process
        process.attached = tuple(other for other in process.attached if other is not self)
        process.queue[:] = [entry for entry in process.queue if entry is None or entry[0] is not self]
        process.consumed()


class Connection:
    """One server. Answers and events first, output when the socket has room and the channel has credit."""

    urgent = True
    __slots__ = (
        "buffer", "channels", "closed", "dials", "greeted", "holder", "later", "listeners", "mask", "next_stream",
        "out", "rest", "sock", "streams", "waiting",
    )  # fmt: skip

    def __init__(self, holder: Holder, sock: socket.socket) -> None:
        self.holder = holder
        self.sock = sock
        self.buffer = bytearray()
        self.out = bytearray()  # answers and events
        self.rest: List[Buffer] = []  # what the socket has not taken of the last frames, before all else
        self.later = False  # a flush is due
        self.channels: Dict[int, Union[Attachment, Stream]] = {}
        self.waiting: Dict[Attachment, bool] = {}  # attachments with something to send, in turn
        self.listeners: Dict[str, Listener] = {}
        self.dials: Set[Dial] = set()
        self.streams = 0
        self.next_stream = HIGHEST_BIT
        self.greeted = False
        self.closed = False
        self.mask = READ

    # in

    def ready(self, fd: int, mask: int) -> None:
        if mask & WRITE:
            self.flush()
        if mask & READ and not self.closed:
            self.receive()

    def receive(self) -> None:
        try:
            data = self.sock.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            self.parse(data)
        except (Violation, ValueError, KeyError, TypeError, struct.error, RecursionError):
            self.close()
            return
        self.flush()

    def parse(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        start = 0
        while len(buffer) - start >= HEADER.size and not self.closed:
            length, type, channel = HEADER.unpack_from(buffer, start)
            if length > MAX_PAYLOAD:
                raise Violation("a frame is too long")
            stop = start + HEADER.size + length
            if len(buffer) < stop:
                break
            self.frame(type, channel, bytes(memoryview(buffer)[start + HEADER.size : stop]))
            start = stop
        del buffer[:start]

    def frame(self, type: int, channel: int, payload: bytes) -> None:
        if type == CALL:
            self.call(json.loads(payload))
        elif type in (INPUT, DATA) and channel in self.channels:
            self.channels[channel].take(payload)
        elif type == CREDIT and channel in self.channels:
            self.channels[channel].allow(CREDIT_SIZE.unpack(payload)[0])
        elif type not in (INPUT, DATA, CREDIT):
            raise Violation("an unknown frame")

    def call(self, body: Body) -> None:
        number, name = body["id"], body["call"]
        if not self.greeted and name != "hello":
            raise Violation("hello comes first")
        method = CALLS.get(name) if isinstance(name, str) else None
        try:
            if method is None:
                raise Refused("Unsupported", "this holder knows no call %r" % (name,))
            answer = method(self.holder, self, number, body)
        except Refused as error:
            self.refuse(number, error)
            return
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            self.refuse(number, Refused("Invalid", "the call %r is malformed: %r" % (name, error)))
            return
        if answer is not None:
            self.reply(number, answer)

    # out

    def reply(self, number: int, answer: Body) -> None:
        self.send_json(REPLY, 0, {"id": number, "ok": answer})
        self.flush_soon()

    def refuse(self, number: int, error: Refused) -> None:
        self.send_json(REPLY, 0, {"id": number, "error": {"reason": error.reason, "message": str(error)[:1000]}})
        self.flush_soon()

    def send_json(self, type: int, channel: int, body: Body) -> None:
        if not self.closed:
            payload = json.dumps(body, separators=(",", ":")).encode()
            self.out += HEADER.pack(len(payload), type, channel)
            self.out += payload

    def flush_soon(self) -> None:
        self.holder.dirty[self] = True

    def flush_later(self) -> None:
        """Within a moment, with what else comes until then."""
        if not self.later:
            self.later = True
            self.holder.after(MOMENT, self.flush_now)

    def flush_now(self) -> None:
        self.later = False
        self.flush_soon()

    def wake(self, attachment: Attachment) -> None:
        """The attachment may have something to send."""
        if attachment not in self.waiting and attachment.pending():
            self.waiting[attachment] = True
        if self.waiting and not self.mask & WRITE:
            self.holder.dirty[self] = True

    def flush(self) -> None:
        """Send until the socket is full or nothing is left."""
        if self.closed:
            return
        blocked = False
        try:
            while self.rest or self.out or self.waiting:
                if not self.rest:
                    self.gather()
                self.send_rest()
        except BlockingIOError:
            blocked = True
        except OSError:
            self.close()
            return
        if len(self.out) > OUT_MAX:
            self.close()
            return
        mask = (READ if len(self.out) < OUT_LIMIT else 0) | (WRITE if blocked else 0)
        if mask != self.mask:
            self.mask = mask
            self.holder.watch(self.sock.fileno(), mask, self)

    def gather(self) -> None:
        """What goes next: what was said, then a frame of output."""
        frame: Sequence[Buffer] = ()
        while self.waiting and not frame:
            frame = self.next_output()
        if self.out:
            self.rest.append(self.out)
            self.out = bytearray()
        self.rest.extend(frame)

    def send_rest(self) -> None:
        rest = self.rest
        sent = self.sock.sendmsg(rest) if rest else 0
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if rest:
            rest[0] = memoryview(rest[0])[sent:]
            raise BlockingIOError

    def next_output(self) -> Sequence[Buffer]:
        """The buffers of a frame of the channel whose turn it is; nothing when there was only something to say."""
        attachment = next(iter(self.waiting))
        del self.waiting[attachment]
        if not attachment.pending():
            return ()
        log = attachment.process.log
        if attachment.offset < log.start:
            gap = {"event": "gap", "from": attachment.offset, "to": log.start}
            attachment.offset = attachment.acked = log.start
            self.send_json(EVENT, attachment.channel, gap)
            self.waiting[attachment] = True
        elif attachment.offset < log.end:
            return self.piece(attachment, log)
        else:
            attachment.told = True
            event = dict(attachment.process.exit or {}, event="exit", offset=log.end)
            self.send_json(EVENT, attachment.channel, event)
        return ()

    def piece(self, attachment: Attachment, log: Log) -> Sequence[Buffer]:
        limit = min(attachment.credit, FRAME if not self.waiting else SEGMENT)
        stream, views = log.piece(attachment.offset, limit)
        count = sum(map(len, views))
        head = HEADER.pack(OUTPUT.size + count, DATA, attachment.channel) + OUTPUT.pack(stream, attachment.offset)
        attachment.offset += count
        attachment.credit -= count
        if attachment.pending():
            self.waiting[attachment] = True
        return (head, *views)

    def fail(self) -> None:
        self.close()

    def close(self) -> None:
        """Gone: what it had attached goes on without it."""
        if self.closed:
            return
        self.closed = True
        self.holder.connections.discard(self)
        self.holder.dirty.pop(self, None)
        self.holder.unregister(self.sock.fileno())
        self.sock.close()
        channels, self.channels = self.channels, {}
        self.waiting = {}
        for channel in channels.values():
            channel.release()
        for listener in list(self.listeners.values()):
            listener.close()
        for dial in list(self.dials):
            dial.release()
        for process in list(self.holder.processes.values()):
            process.closers = tuple(who for who in process.closers if who[0] is not self)


# --- the body's way to the server ------------------------------------------------------------------------------------


class Listener:
    """A unix socket in the body, of the connection that asked for it; the newest at a path has the path."""

    urgent = False
    __slots__ = ("connection", "inode", "path", "sock")

    def __init__(self, connection: Connection, path: str) -> None:
        self.connection = connection
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if is_socket(path):
                os.unlink(path)
            self.sock.bind(path)
            os.chmod(path, 0o600)
            self.inode = os.lstat(path).st_ino
            self.sock.listen(MAX_STREAMS)
        except OSError as error:
            self.sock.close()
            raise Refused("Invalid", "cannot listen at %r: %s" % (path, error.strerror or error)) from None
        self.sock.setblocking(False)
        connection.holder.register(self.sock.fileno(), READ, self)

    def ready(self, fd: int, mask: int) -> None:
        try:
            sock = self.sock.accept()[0]
        except OSError:
            return
        connection = self.connection
        if connection.streams >= MAX_STREAMS:
            sock.close()
            return
        sock.setblocking(False)
        stream = Stream(connection, sock)
        stream.say({"event": "accepted", "path": self.path})

    def fail(self) -> None:
        self.close()

    def close(self) -> None:
        if self.connection.listeners.pop(self.path, None) is None:
            return
        self.connection.holder.unregister(self.sock.fileno())
        self.sock.close()
        with suppress(OSError):
            if os.lstat(self.path).st_ino == self.inode:  # not a later listener's
                os.unlink(self.path)


class Dial:
    """A connection to a port of the body's loopback, on its way: of IPv4 first, then of IPv6."""

    urgent = False
    __slots__ = ("connection", "families", "number", "port", "sock", "token")

    def __init__(self, connection: Connection, number: int, port: int, token: str) -> None:
        self.connection = connection
        self.number = number
        self.port = port
        self.token = token
        self.families = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
        self.sock: Optional[socket.socket] = None
        connection.streams += 1
        connection.dials.add(self)
        connection.holder.after(DIAL_TIMEOUT, self.expire)

    def next(self) -> None:
        """Try the next address; refuse when there is none."""
        while self.families and self.sock is None:
            family, address = self.families.pop(0)
            with suppress(OSError):
                self.sock = socket.socket(family, socket.SOCK_STREAM)
                self.sock.setblocking(False)
                with suppress(BlockingIOError):
                    self.sock.connect((address, self.port))
                self.connection.holder.register(self.sock.fileno(), WRITE, self)
                return
            self.drop_socket()
        self.refuse("nothing listens on port %d of the body" % self.port)

    def ready(self, fd: int, mask: int) -> None:
        sock = self.sock
        if sock is None:
            return
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.drop_socket()
            self.next()
            return
        self.connection.holder.unregister(fd)
        self.sock = None
        connection = self.connection
        self.leave()
        stream = Stream(connection, sock)
        stream.say({"event": "dialled", "token": self.token})
        connection.reply(self.number, {"channel": stream.channel})

    def expire(self) -> None:
        if self in self.connection.dials:
            self.drop_socket()
            self.refuse("port %d of the body does not answer" % self.port)

    def refuse(self, why: str) -> None:
        self.leave()
        self.connection.refuse(self.number, Refused("NothingListens", why))

    def fail(self) -> None:
        self.release()

    def release(self) -> None:
        self.drop_socket()
        self.leave()

    def leave(self) -> None:
        if self in self.connection.dials:
            self.connection.dials.remove(self)
            self.connection.streams -= 1

    def drop_socket(self) -> None:
        if self.sock is not None:
            self.connection.holder.unregister(self.sock.fileno())
            self.sock.close()
            self.sock = None


class Stream:
    """A connection in the body, carried over a channel: `STREAM_WINDOW` of credit each way, then as granted.

    Each direction ends by itself, with ``eof`` of the body and with an empty DATA frame of the server.
    """

    urgent = False
    __slots__ = ("channel", "connection", "credit", "ended", "finishing", "heard", "mask", "out", "sock", "window")

    def __init__(self, connection: Connection, sock: socket.socket) -> None:
        self.connection = connection
        self.sock = sock
        self.channel = connection.next_stream
        self.credit = STREAM_WINDOW  # what may still be sent to the server
        self.window = STREAM_WINDOW  # what the server may still send
        self.out = bytearray()
        self.mask = READ
        self.heard = False  # the body has said all
        self.finishing = False  # the server has said all
        self.ended = False
        connection.next_stream = HIGHEST_BIT | (self.channel + 1)  # too many to come round
        connection.channels[self.channel] = self
        connection.streams += 1
        connection.holder.register(sock.fileno(), READ, self)

    def say(self, event: Any) -> None:
        self.connection.send_json(EVENT, self.channel, event)
        self.connection.flush_soon()

    def ready(self, fd: int, mask: int) -> None:
        if mask & WRITE:
            self.flush()
        if mask & READ and not self.ended:
            self.receive()

    def receive(self) -> None:
        try:
            data = self.sock.recv(min(self.credit, SEGMENT))
        except BlockingIOError:
            return
        except OSError:
            self.end()
            return
        if data:
            self.credit -= len(data)
            self.connection.out += HEADER.pack(len(data), DATA, self.channel) + data
            self.connection.flush_soon()
        else:
            self.heard = True
            self.say({"event": "eof"})
        self.update()

    def take(self, data: bytes) -> None:
        self.window -= len(data)
        if self.window < 0 or self.finishing:
            raise Violation("more bytes than the window, or after the end")
        self.finishing = not data
        self.out += data
        self.flush()

    def flush(self) -> None:
        try:
            count = self.sock.send(self.out) if self.out else 0
            del self.out[:count]
            if self.finishing and not self.out:
                self.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            count = 0
        except OSError:
            self.end()
            return
        if count:
            self.window += count
            self.connection.out += HEADER.pack(CREDIT_SIZE.size, CREDIT, self.channel) + CREDIT_SIZE.pack(count)
            self.connection.flush_soon()
        self.update()

    def allow(self, count: int) -> None:
        self.credit += count
        self.update()

    def update(self) -> None:
        if self.heard and self.finishing and not self.out:
            self.end()
            return
        mask = (READ if self.credit > 0 and not self.heard else 0) | (WRITE if self.out else 0)
        if mask != self.mask:
            self.mask = mask
            self.connection.holder.watch(self.sock.fileno(), mask, self)

    def fail(self) -> None:
        self.end()

    def end(self) -> None:
        """Nothing follows in either direction."""
        if not self.ended:
            self.say({"event": "closed"})
            self.connection.channels.pop(self.channel, None)
            self.release()

    def release(self) -> None:
        if not self.ended:
            self.ended = True
            self.connection.streams -= 1
            self.connection.holder.unregister(self.sock.fileno())
            self.sock.close()


def is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


# --- the holder ------------------------------------------------------------------------------------------------------


class Holder:
    """The loop, and the calls."""

    def __init__(self, options: Dict[str, str]) -> None:
        self.options = options
        self.selector = selectors.DefaultSelector()
        self.watched: Dict[int, Any] = {}  # descriptor -> who reads or writes it
        self.processes: Dict[str, Process] = {}
        self.pids: Dict[int, Process] = {}
        self.connections: Set[Connection] = set()
        self.dirty: Dict[Connection, bool] = {}  # connections with something to send
        self.timers: List[Tuple[float, int, Any]] = []
        self.timer_count = 0
        self.log_limit = DROP_LOG
        self.ending = 0.0  # when everything is killed
        self.stopped = False
        self.prctl = load_prctl()
        self.umask = os.umask(0o077)
        self.files = allow_files()

    # the loop

    def register(self, fd: int, mask: int, who: Any) -> None:
        self.selector.register(fd, mask)
        self.watched[fd] = who

    def unregister(self, fd: int) -> None:
        if self.watched.pop(fd, None) is not None:
            self.selector.unregister(fd)

    def watch(self, fd: int, mask: int, who: Any) -> None:
        """Change what is waited for; nothing at all takes the descriptor out."""
        if not mask:
            self.unregister(fd)
        elif fd in self.watched:
            self.selector.modify(fd, mask)
        else:
            self.register(fd, mask, who)

    def after(self, delay: float, action: Callable[[], None]) -> None:
        self.timer_count += 1
        heapq.heappush(self.timers, (time.monotonic() + max(delay, 0), self.timer_count, action))

    def run(self) -> None:
        while not self.stopped:
            timeout = None
            if self.timers:
                timeout = max(0.0, self.timers[0][0] - time.monotonic())
            self.turn([(self.watched[key.fd], key.fd, mask) for key, mask in self.selector.select(timeout)])
            if self.timers:
                self.run_timers()
            if self.dirty:
                self.flush_dirty()

    def turn(self, events: List[Tuple[Any, int, int]]) -> None:
        """Let everyone act for whom there is something, first on what servers say."""
        if len(events) > 1:
            events.sort(key=is_output)
        for who, fd, mask in events:
            if fd in self.watched and self.watched[fd] is who:
                try:
                    who.ready(fd, mask)
                except Exception:
                    self.contain(who)
            if self.dirty and who.urgent:
                self.flush_dirty()

    def run_timers(self) -> None:
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            action = heapq.heappop(self.timers)[2]
            try:
                action()
            except Exception:
                self.contain(action.__self__)

    def flush_dirty(self) -> None:
        while self.dirty:
            connection = self.dirty.popitem()[0]
            try:
                connection.flush()
            except Exception:
                self.contain(connection)

    def contain(self, who: Any) -> None:
        """An error that nobody expected costs the one it happened to, never the body."""
        report(who)
        try:
            who.fail()
        except Exception:
            report(who)

    def fail(self) -> None:
        """A timer of the end failed: look again."""
        if self.ending:
            self.after(1, self.check_ended)

    # processes

    def reap(self) -> None:
        """Take every exit there is; orphans of the body come here too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            process = self.pids.pop(pid, None)
            if process is not None:
                self.take_exit(process, status)

    def take_exit(self, process: Process, status: int) -> None:
        try:
            if process.error_fd >= 0:
                process.started()
            process.exited(status)
        except Exception:
            process.exit = process.exit or exit_of(status)
            self.contain(process)

    def discard(self, process: Process) -> None:
        """A process that never ran, or that is forgotten."""
        self.processes.pop(process.id, None)
        for attachment in process.attached:
            attachment.say({"event": "forgotten"})
            attachment.connection.channels.pop(attachment.channel, None)
            attachment.connection.waiting.pop(attachment, None)
        process.attached = ()
        for fd in process.fds():
            self.unregister(fd)
            os.close(fd)
        process.outputs = {}
        process.input = process.master = process.error_fd = -1
        process.done = True
        self.share_logs()

    def share_logs(self) -> None:
        self.log_limit = max(2 * SEGMENT, min(DROP_LOG, ALL_LOGS // max(1, len(self.processes))))

    def child(self, command: Body, theirs: Tuple[int, ...], error_write: int) -> NoReturn:
        """In the fork: become the command. Never returns."""
        what = "exec"
        try:
            os.setsid()
            if command["tty"]:
                fcntl.ioctl(theirs[0], termios.TIOCSCTTY, 0)
            for target, fd in enumerate(theirs):
                os.dup2(fd, target)
            for number in CHANGED_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            self.limit()
            what = "cwd"
            os.chdir(os.path.join(self.options["cwd"], command["cwd"] or ""))
            what = "exec"
            os.execvpe(command["argv"][0], command["argv"], command["env"])
        except OSError as error:
            os.write(error_write, ("%s:%d" % (what, error.errno or 0)).encode())
        except BaseException:
            os.write(error_write, b"exec:0")
        finally:
            os._exit(127)

    def limit(self) -> None:
        """What applies to processes and not to the holder."""
        if self.prctl is not None:
            self.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != MYSELF[0]:
                os._exit(127)
        os.umask(self.umask)
        resource.setrlimit(resource.RLIMIT_NOFILE, self.files)
        for option, kind in (("memory", "RLIMIT_AS"), ("processes", "RLIMIT_NPROC")):
            if self.options[option]:
                value = int(self.options[option])
                resource.setrlimit(getattr(resource, kind), (value, value))
        if self.options["nice"]:
            os.nice(int(self.options["nice"]))

    def environment(self, command: Body) -> Dict[str, str]:
        env = dict(os.environ, SAC_BODY=self.options["uid"])
        if command["tty"]:
            env.update(TERM="xterm-256color", COLORTERM="truecolor")
        else:
            env.pop("TERM", None)
        env.update(command["env"])
        return env

    # calls: each returns the answer, or None when it comes later

    def hello(self, connection: Connection, number: int, body: Body) -> Body:
        if VERSION not in body["versions"]:
            raise Refused("Unsupported", "this holder speaks %s" % VERSION)
        connection.greeted = True
        return {
            "version": VERSION,
            "uid": self.options["uid"],
            "pid": os.getpid(),
            "start": start_time(),
            "folder": os.getcwd(),
            "processes": [process.record() for process in self.processes.values()],
        }

    def open(self, connection: Connection, number: int, body: Body) -> Optional[Body]:
        command = checked_command(body)
        known = self.processes.get(command["process"])
        if known is not None:
            if known.openers:
                known.openers += ((connection, number),)
                return None
            return {"created": False, "pid": known.pid}
        if self.ending:
            raise Refused("NotReady", "the body is ending")
        if len(self.processes) >= MAX_PROCESSES:
            raise Refused("QuotaExceeded", "the body has %d processes already" % MAX_PROCESSES)
        command["env"] = self.environment(command)
        process = Process(self, command)
        try:
            process.spawn(command, self.child)
        except OSError as error:
            self.discard(process)
            raise Refused("Unavailable", "cannot start a process: %s" % (error.strerror or error)) from None
        process.openers = ((connection, number),)
        self.processes[process.id] = self.pids[process.pid] = process
        process.watch()
        self.share_logs()
        return None

    def find(self, body: Body) -> Process:
        process: Optional[Process] = self.processes.get(body["process"])
        if process is None:
            raise Refused("NotFound", "the body has no process %r" % (body["process"],))
        return process

    def attach(self, connection: Connection, number: int, body: Body) -> None:
        process, channel, window = self.find(body), body["channel"], whole(body["window"], 0, 1 << 30)
        whole(channel, 1, HIGHEST_BIT - 1)
        if channel in connection.channels:
            raise Refused("Conflict", "the channel is in use")
        if len(connection.channels) >= MAX_CHANNELS:
            raise Refused("QuotaExceeded", "the connection has too many channels")
        log, since = process.log, body.get("since")
        since = log.end if since is None else min(whole(since, 0, 1 << 62), log.end)
        attachment = Attachment(connection, channel, process, since, window)
        connection.channels[channel] = attachment
        process.attached += (attachment,)
        connection.reply(number, {"offset": max(since, log.start), "end": log.end})
        connection.wake(attachment)

    def detach(self, connection: Connection, number: int, body: Body) -> Body:
        channel = connection.channels.pop(body["channel"], None)
        if channel is not None:
            channel.release()
        return {}

    def list(self, connection: Connection, number: int, body: Body) -> Body:
        return {"processes": [process.record() for process in self.processes.values()]}

    def get(self, connection: Connection, number: int, body: Body) -> Body:
        return self.find(body).record()

    def eof(self, connection: Connection, number: int, body: Body) -> Body:
        process = self.find(body)
        if process.input >= 0 and not process.eof:
            process.eof = process.master < 0
            process.queue.append(None)
            if not process.writing:
                process.feed()
        return {}

    def resize(self, connection: Connection, number: int, body: Body) -> Body:
        process = self.find(body)
        if process.size is None:
            raise Refused("Unsupported", "the process has no terminal")
        process.size = checked_size(body)
        if process.master >= 0:
            set_size(process.master, process.size)
        return {}

    def signal(self, connection: Connection, number: int, body: Body) -> Body:
        name = body["name"]
        value = getattr(signal, "SIG" + name, None) if isinstance(name, str) and name.isalnum() else None
        if value is None:
            raise Refused("Invalid", "there is no signal %r" % (name,))
        self.find(body).signal(value)
        return {}

    def close(self, connection: Connection, number: int, body: Body) -> None:
        process = self.find(body)
        grace = body.get("grace", 3)
        if not isinstance(grace, (int, float)) or not 0 <= grace <= 3600:
            raise Refused("Invalid", "grace is a number of seconds from 0 to 3600")
        process.closers += ((connection, number),)
        process.close(grace)

    def forget(self, connection: Connection, number: int, body: Body) -> Body:
        process = self.find(body)
        if not process.done:
            raise Refused("NotReady", "the process runs; close it first")
        self.discard(process)
        return {}

    def listen(self, connection: Connection, number: int, body: Body) -> Body:
        path = body["path"]
        if not isinstance(path, str) or not path or "\0" in path:
            raise Refused("Invalid", "path is a path of the body")
        if path in connection.listeners:
            raise Refused("Conflict", "the connection listens at %r already" % path)
        if len(connection.listeners) >= MAX_LISTENERS:
            raise Refused("QuotaExceeded", "the connection listens at %d paths already" % MAX_LISTENERS)
        connection.listeners[path] = Listener(connection, path)
        return {}

    def unlisten(self, connection: Connection, number: int, body: Body) -> Body:
        listener = connection.listeners.get(body["path"])
        if listener is not None:
            listener.close()
        return {}

    def dial(self, connection: Connection, number: int, body: Body) -> None:
        port, token = whole(body["port"], 1, 65535), body["token"]
        if not isinstance(token, str) or len(token) > 100:
            raise Refused("Invalid", "token is a short text")
        if connection.streams >= MAX_STREAMS:
            raise Refused("QuotaExceeded", "the connection has %d streams already" % MAX_STREAMS)
        Dial(connection, number, port, token).next()

    # the end

    def end(self) -> None:
        """End every process, then this one."""
        grace = read_grace(self.options)
        deadline = time.monotonic() + grace
        if self.ending and self.ending <= deadline:
            return
        first, self.ending = not self.ending, deadline
        for process in self.processes.values():
            if not process.done:
                process.close(grace)
        if first:
            held = {process.pid for process in self.processes.values()}
            for pid, session in descendants().items():
                if session not in held:
                    kill(pid, signal.SIGTERM)
                    kill(pid, signal.SIGCONT)
            self.check_ended()

    def check_ended(self) -> None:
        left = descendants()
        now = time.monotonic()
        if now >= self.ending:
            for pid in left:
                kill(pid, signal.SIGKILL)
            for pid in self.pids:
                kill(-pid, signal.SIGKILL)
        running = [process for process in self.processes.values() if not process.done]
        if (left or running) and now < self.ending + 5:
            self.after(RECHECK / 2, self.check_ended)
        else:
            self.stopped = True


CALLS = {
    call.__name__: call
    for call in (
        Holder.hello,
        Holder.open,
        Holder.attach,
        Holder.detach,
        Holder.list,
        Holder.get,
        Holder.eof,
        Holder.resize,
        Holder.signal,
        Holder.close,
        Holder.forget,
        Holder.listen,
        Holder.unlisten,
        Holder.dial,
    )
}
CHANGED_SIGNALS = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


def is_output(event: Any) -> bool:
    """Sorts what servers say before what processes print."""
    return not event[0].urgent


def whole(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise Refused("Invalid", "%r is not a whole number from %d to %d" % (value, least, most))
    return value


def checked_size(body: Body) -> Size:
    return whole(body["cols"], 1, 1000), whole(body["rows"], 1, 1000)


def checked_command(body: Body) -> Body:
    """The fields of an `open` call, or `Refused`."""
    id, argv, env, cwd, tty = body["process"], body["argv"], body.get("env") or {}, body.get("cwd"), body.get("tty")
    if not isinstance(id, str) or not 0 < len(id) <= 128:
        raise Refused("Invalid", "process is an id of 1 to 128 characters")
    words = [*argv, *env, *env.values(), cwd or ""] if isinstance(argv, list) and isinstance(env, dict) else [None]
    if not argv or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise Refused("Invalid", "argv, env and cwd are texts without NUL, and argv is not empty")
    if body.get("overflow", "drop") not in ("drop", "block"):
        raise Refused("Invalid", "overflow is drop or block")
    return {
        "process": id,
        "argv": argv,
        "env": env,
        "cwd": cwd,
        "tty": checked_size(tty) if tty else None,
        "stdin": bool(body.get("stdin", True)),
        "block": body.get("overflow") == "block",
    }


def read_grace(options: Dict[str, str]) -> float:
    for text in (read_text("grace"), options["grace"]):
        try:
            return min(max(float(text), 0.0), 3600.0)
        except ValueError:
            pass
    return 5.0


def read_text(name: str) -> str:
    try:
        with open(name) as file:
            return file.read(100)
    except OSError:
        return ""


# --- starting --------------------------------------------------------------------------------------------------------


class Signals:
    """Signals as bytes of a pipe, read by the loop."""

    urgent = True
    __slots__ = ("holder", "reader")

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.reader, writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, ignore)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        holder.register(self.reader, READ, self)

    def fail(self) -> None:
        """Nothing to let go: the next signal comes here again."""

    def ready(self, fd: int, mask: int) -> None:
        numbers = os.read(self.reader, 4096)
        self.holder.reap()
        if signal.SIGTERM in numbers:
            self.holder.end()


def ignore(number: int, frame: Any) -> None:
    """The loop handles it."""


class Door:
    """`holder.sock`: takes servers."""

    urgent = True
    __slots__ = ("holder", "sock")

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with suppress(FileNotFoundError):
            os.unlink("holder.sock")
        self.sock.bind("holder.sock")
        os.chmod("holder.sock", 0o600)
        self.sock.listen(64)
        self.sock.setblocking(False)
        holder.register(self.sock.fileno(), READ, self)

    def fail(self) -> None:
        """Nothing to let go: the next server comes here again."""

    def ready(self, fd: int, mask: int) -> None:
        try:
            sock = self.sock.accept()[0]
        except OSError:
            return
        if len(self.holder.connections) >= MAX_CONNECTIONS:
            sock.close()
            return
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
        connection = Connection(self.holder, sock)
        self.holder.connections.add(connection)
        self.holder.register(sock.fileno(), READ, connection)


def parse_options(argv: List[str]) -> Dict[str, str]:
    options = {option: value or "" for option, value in OPTIONS.items()}
    for name, value in zip(argv[::2], argv[1::2]):  # noqa: B905 (not in Python 3.8)
        if name[:2] != "--" or name[2:] not in options:
            raise SystemExit("holder: unknown option %s" % name)
        options[name[2:]] = value
    if len(argv) % 2 or not options["dir"] or not options["uid"]:
        raise SystemExit("usage: program.py --dir FOLDER --uid UID [--OPTION VALUE]...")
    return options


def take_lock(inherited: str) -> None:
    """Hold the body's lock for life; raises SystemExit when another holder has it."""
    fd = int(inherited) if inherited else os.open("lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.set_inheritable(fd, False)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit("holder: another holder has this folder") from None


def become_daemon() -> None:
    """Leave the caller's session; an orphan that is no session leader, and so never gets a controlling terminal."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    if os.isatty(2):
        os.dup2(null, 2)
    os.close(null)


def announce() -> None:
    """Say that it is ready: pid and start time, whole or not at all."""
    with open("pid.new", "w") as file:
        json.dump({"pid": os.getpid(), "start": start_time()}, file)
    os.rename("pid.new", "pid")


def main(argv: List[str]) -> None:
    options = parse_options(argv)
    options["cwd"] = os.path.abspath(os.path.join(options["dir"], options["cwd"]))
    os.chdir(options["dir"])
    take_lock(options["lock-fd"])
    if not options["foreground"]:
        become_daemon()
    MYSELF[0] = os.getpid()
    holder = Holder(options)
    if holder.prctl is not None:
        holder.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    Signals(holder)
    Door(holder)
    announce()
    try:
        holder.run()
    finally:
        for name in ("holder.sock", "pid"):
            with suppress(OSError):
                os.unlink(name)
        os._exit(0 if holder.stopped else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
