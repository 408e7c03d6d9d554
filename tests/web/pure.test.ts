import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../../web/src/api/backoff";
import { optionsOf, valuesOf } from "../../web/src/api/schema";
import type { Agent } from "../../web/src/api/types";
import { splitArguments } from "../../web/src/pages/argv";
import { Collection } from "../../web/src/state/collection";
import { pasted } from "../../web/src/terminal/paste";
import { cleanTitle, clipboardText, safeLink } from "../../web/src/terminal/untrusted";

test("a bracketed paste cannot close its bracket", () => {
  assert.equal(pasted("a\x1b[201~rm\n", true), "\x1b[200~arm\r\x1b[201~");
  assert.equal(pasted("\x1b[20\x1b[201~1~x", true), "\x1b[200~x\x1b[201~");
  assert.equal(pasted("\x9b201~x", true), "\x1b[200~x\x1b[201~");
});

test("a plain paste changes line ends alone", () => {
  assert.equal(pasted("a\r\nb\nc\td", false), "a\rb\rc\td");
});

test("titles are one short line of visible text", () => {
  assert.equal(cleanTitle("a\u202Eb\x07c\nd\u200B"), "abcd");
  assert.equal([...cleanTitle("漢".repeat(500))].length, 80);
});

test("only http and https are links", () => {
  assert.equal(safeLink("https://example.com/a?b=1"), "https://example.com/a?b=1");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.com", "JaVaScRiPt:1"]) {
    assert.equal(safeLink(bad), null);
  }
});

test("the clipboard is never read, and written with bounded text only", () => {
  assert.equal(clipboardText("c;aGVsbG8="), "hello");
  for (const bad of ["c;?", "c;", ";?", "c;%%%", "c;/w==", `c;${"A".repeat(200_000)}`]) assert.equal(clipboardText(bad), null);
});

test("waits grow from a quarter of a second to five seconds", () => {
  assert.equal(backoff(0, () => 1), 250);
  assert.equal(backoff(0, () => 0), 125);
  assert.equal(backoff(50, () => 1), 5_000);
});

test("a command line is split at spaces, quotes keep them", () => {
  assert.deepEqual(splitArguments(`  python3 -c "print('x y')" a'b c'd "" `), ["python3", "-c", "print('x y')", "ab cd", ""]);
  assert.deepEqual(splitArguments("   "), []);
});

function agent(name: string, version: number, uid = "u"): Agent {
  return {
    kind: "Agent",
    metadata: { name, uid, resourceVersion: String(version) },
    spec: { runtime: "shell" },
    status: { phase: "Running" },
  };
}

function versions(collection: Collection): string[] {
  collection.synced();
  return [...collection.all.value.values()].map((one) => `${one.metadata.name}@${one.metadata.resourceVersion}`);
}

test("an answer that is older than an event does not win", () => {
  const collection = new Collection();
  collection.put(agent("a", 10));
  collection.put(agent("a", 9));
  assert.deepEqual(versions(collection), ["a@10"]);
  collection.put(agent("a", 3, "another"));
  assert.deepEqual(versions(collection), ["a@3"]);
});

test("what a fresh list does not have is gone", () => {
  const collection = new Collection();
  collection.put(agent("a", 1));
  collection.put(agent("b", 2));
  collection.restart();
  collection.put(agent("b", 2));
  assert.deepEqual(versions(collection), ["b@2"]);
});

test("the end of an earlier thing of the same name does not remove the new one", () => {
  const collection = new Collection();
  collection.put(agent("a", 5, "new"));
  collection.remove(agent("a", 4, "old"));
  assert.deepEqual(versions(collection), ["a@5"]);
});

test("an executor's options are inputs of their kinds", () => {
  const model = {
    required: ["region"],
    $defs: { Size: { enum: ["small", "large"], type: "string" } },
    properties: {
      region: { type: "string", description: "Where" },
      limit: { anyOf: [{ type: "number" }, { type: "null" }], default: null },
      size: { $ref: "#/$defs/Size", default: "small" },
      spot: { type: "boolean", default: false },
      key: { anyOf: [{ type: "string", format: "sac-secret" }, { type: "null" }] },
      mode: { const: "safe", type: "string" },
      tags: { type: "array" },
      either: { anyOf: [{ type: "string" }, { type: "number" }] },
    },
  };
  const options = optionsOf(model);
  const kinds = options.map((option) => option.kind);
  assert.deepEqual(kinds, ["text", "number", "choice", "switch", "secret", "choice", "other", "other"]);
  assert.deepEqual(options[2]?.choices, ["small", "large"]);
  assert.equal(options[0]?.required, true);
  const given = { region: " eu ", limit: "1.5", spot: "false", size: "", tags: "" };
  assert.deepEqual(valuesOf(options, given), { region: " eu ", limit: 1.5, spot: false });
  assert.deepEqual(valuesOf(options, { limit: "much" }), { limit: "much" });
  assert.deepEqual(optionsOf(undefined), []);
});
