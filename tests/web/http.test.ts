import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import type { Problem } from "../../web/src/api/problem";

Object.assign(globalThis, { document: { baseURI: "http://127.0.0.1:8765/" }, localStorage: { getItem: () => null } });
const { request } = await import("../../web/src/api/http");

const answer = (): Response => new Response('{"items":[]}', { status: 200 });
const broken = (): Promise<Response> => Promise.reject(new TypeError("Failed to fetch"));

afterEach(() => mock.restoreAll());

/** Has the calls answered in turn; how many there were. */
function answering(...answers: (() => Response | Promise<Response>)[]): () => number {
  const fake = mock.method(globalThis, "fetch", async () => (answers.length > 1 ? answers.shift() : answers[0])?.());
  return () => fake.mock.callCount();
}

test("a question is asked again when the line broke", async () => {
  const calls = answering(broken, broken, answer);
  assert.deepEqual(await request("GET", "agents"), { items: [] });
  assert.equal(calls(), 3);
});

test("who never answers is not asked for ever", async () => {
  const calls = answering(broken);
  await assert.rejects(request("GET", "agents"), (failure: Problem) => failure.unreachable);
  assert.equal(calls(), 4);
});

test("a change is never sent twice", async () => {
  const calls = answering(broken, answer);
  await assert.rejects(request("POST", "agents", {}), (failure: Problem) => failure.unreachable);
  assert.equal(calls(), 1);
});

test("a question that is too late is not asked again", async () => {
  const calls = answering(() => Promise.reject(new DOMException("late", "TimeoutError")), answer);
  await assert.rejects(request("GET", "agents"), (failure: Problem) => failure.unreachable);
  assert.equal(calls(), 1);
});
