import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import type { Socket } from "../../web/src/api/socket";
import { Connection, type Link, type Sink, type Verdict } from "../../web/src/terminal/connection";

const OPEN = 1;
const CLOSING = 2;

class FakeSocket implements Socket {
  binaryType: BinaryType = "arraybuffer";
  onopen = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readyState: Socket["readyState"] = OPEN;
  sent: unknown[] = [];

  send(data: unknown): void {
    assert.equal(this.readyState, OPEN);
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close(): void {}

  frame(body: object): void {
    this.onmessage?.({ data: JSON.stringify(body) } as MessageEvent);
  }

  bytes(text: string): void {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer } as MessageEvent);
  }

  break(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }
}

class Told implements Sink {
  log: unknown[] = [];
  text = "";
  waiting: (() => void)[] = [];
  now: Link = "connecting";

  link(link: Link): void {
    this.now = link;
  }
  attached(attach: Parameters<Sink["attached"]>[0]): void {
    this.log.push(["attached", attach.role, attach.first, attach.replaying]);
  }
  output(data: Uint8Array, shown: () => void): void {
    this.text += new TextDecoder().decode(data);
    this.log.push(["output", new TextDecoder().decode(data)]);
    this.waiting.push(shown);
  }
  replayed(): void {
    this.log.push("replayed");
  }
  gap(from: number, to: number): void {
    this.log.push(["gap", from, to]);
  }
  resize(): void {}
  role(role: string): void {
    this.log.push(["role", role]);
  }
  exit(): void {
    this.log.push("exit");
  }
  failure(): void {}
  unconfirmed(bytes: number): void {
    this.log.push(["unconfirmed", bytes]);
  }
  showAll(): void {
    for (const shown of this.waiting.splice(0)) shown();
  }
}

const queries: string[] = [];
const sockets: FakeSocket[] = [];
let verdict: Verdict = "retry";
let refuse = false;

function last(): FakeSocket {
  const socket = sockets.at(-1);
  assert.ok(socket);
  return socket;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

async function open(): Promise<[Connection, Told]> {
  const told = new Told();
  const dial = async (query: string): Promise<Socket> => {
    queries.push(query);
    if (refuse) throw new Error("no server");
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  const connection = new Connection({ dial, examine: async () => verdict }, told);
  connection.start();
  await settle();
  return [connection, told];
}

async function later(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds);
  await settle();
}

beforeEach(() => {
  queries.length = sockets.length = 0;
  verdict = "retry";
  refuse = false;
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

const attached = { type: "attached", offset: 0, end: 0, session: "s", role: "control", tty: { cols: 80, rows: 24 } };

test("after a break it asks for the next byte, with the role that it had", async () => {
  const [, told] = await open();
  last().frame(attached);
  last().bytes("hello");
  last().frame({ type: "gap", from: 5, to: 105 });
  last().bytes("abc");
  last().break(1012);
  assert.equal(told.now, "waiting");
  await later(300);
  assert.deepEqual(queries, ["", "?since=108&mode=control"]);
  last().frame({ ...attached, offset: 108, end: 108 });
  assert.equal(told.now, "live");
  assert.deepEqual(told.log.at(-1), ["attached", "control", false, false]);
});

test("it acknowledges what is on the screen, not what has come", async () => {
  const [, told] = await open();
  last().frame(attached);
  last().bytes("12345");
  await later(1_000);
  assert.deepEqual(last().sent, [{ type: "ack", offset: 0 }]);
  told.showAll();
  await later(60);
  assert.deepEqual(last().sent.at(-1), { type: "ack", offset: 5 });
});

test("history ends exactly where the output stood when it attached", async () => {
  const [, told] = await open();
  last().frame({ ...attached, end: 4 });
  last().bytes("oldNEW");
  assert.deepEqual(told.log, [["attached", "control", true, true], ["output", "oldN"], "replayed", ["output", "EW"]]);
});

test("a gap over the end of history ends it", async () => {
  const [, told] = await open();
  last().frame({ ...attached, end: 10 });
  last().frame({ type: "gap", from: 0, to: 20 });
  assert.deepEqual(told.log.slice(1), [["gap", 0, 20], "replayed"]);
});

test("who watches sends no input and no size", async () => {
  const [connection] = await open();
  last().frame({ ...attached, role: "view" });
  assert.equal(connection.input(new Uint8Array([1])), false);
  connection.resize({ cols: 10, rows: 10 });
  assert.deepEqual(last().sent, [{ type: "ack", offset: 0 }]);
  connection.take();
  assert.deepEqual(last().sent.at(-1), { type: "take" });
});

test("a large paste is cut into messages of at most 64 KiB, nothing lost", async () => {
  const [connection] = await open();
  last().frame(attached);
  const paste = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
  assert.equal(connection.input(paste), true);
  const pieces = last().sent.filter((piece): piece is Uint8Array => piece instanceof Uint8Array);
  assert.ok(pieces.every((piece) => piece.length <= 65_536));
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(paste));
});

test("input is not sent while there is no connection, and what was under way is reported", async () => {
  const [connection, told] = await open();
  last().frame(attached);
  connection.input(new Uint8Array(10));
  last().frame({ type: "input", received: 4 });
  last().break(1006);
  assert.deepEqual(told.log.at(-1), ["unconfirmed", 6]);
  assert.equal(connection.input(new Uint8Array(1)), false);
});

test("nothing is sent on a socket that is closing and has not said so yet", async () => {
  const [connection, told] = await open();
  last().frame(attached);
  last().bytes("end");
  last().readyState = CLOSING;
  told.showAll();
  await later(60);
  connection.resize({ cols: 10, rows: 10 });
  assert.equal(connection.input(new Uint8Array(3)), false);
  last().break(1012);
  assert.ok(!told.log.some((entry) => Array.isArray(entry) && entry[0] === "unconfirmed"));
});

test("a screen starts over when the server starts over before what we have", async () => {
  const [, told] = await open();
  last().frame(attached);
  last().bytes("hello");
  last().break(1012);
  await later(300);
  last().frame(attached);
  assert.deepEqual(told.log.at(-1), ["attached", "control", true, false]);
});

test("ends for good: exit, end, gone, no longer signed in", async () => {
  for (const [code, link] of [[1000, "ended"], [4404, "gone"], [4403, "refused"], [4401, "signed-out"]] as const) {
    const [, told] = await open();
    const socket = last();
    socket.frame(attached);
    socket.break(code);
    await later(10_000);
    assert.equal(told.now, link);
    assert.equal(last(), socket);
  }
});

test("a socket that never opened is explained by asking for the session", async () => {
  verdict = "gone";
  const [, told] = await open();
  last().break(1006);
  await settle();
  assert.equal(told.now, "gone");
});

test("it keeps trying while nobody answers, at most every five seconds", async () => {
  refuse = true;
  const [, told] = await open();
  await later(0);
  for (let turn = 0; turn < 40; turn += 1) await later(5_000);
  assert.equal(told.now, "waiting");
  assert.equal(queries.length, 41);
});

test("stopped, it does not come back", async () => {
  const [connection] = await open();
  last().frame(attached);
  last().break(1012);
  connection.stop();
  await later(10_000);
  assert.equal(queries.length, 1);
});

test("woken while it waits it comes back at once, and only once", async () => {
  const [connection, told] = await open();
  last().frame(attached);
  last().break(1006);
  connection.wake();
  connection.wake();
  await settle();
  await later(10_000);
  assert.equal(queries.length, 2);
  last().frame(attached);
  assert.equal(told.now, "live");
});
