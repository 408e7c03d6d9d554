import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsOf, valuesOf } from "../../web/src/api/schema";
import type { Finding, Plugin, Target } from "../../web/src/api/types";
import { placeChoices } from "../../web/src/pages/choosing";
import { placesOf, seenOf } from "../../web/src/state/places";

const executor = (name: string): Plugin => ({ name, family: "executor" });

function target(executor: string, name: string, isDefault = false): Target {
  return { kind: "Target", metadata: { name }, spec: { executor }, status: { phase: "Ready", default: isDefault } };
}

test("an executor's own place is the default until another one is", () => {
  const plugins = [executor("docker"), executor("process"), { name: "shell", family: "runtime" }];
  const places = placesOf(plugins, [target("process", "near", true), target("docker", "b"), target("docker", "a"), target("gone", "x")]);
  const told = places.map(({ executor, name, standard }) => `${executor}/${name}${standard ? "*" : ""}`);
  assert.deepEqual(told, ["docker/default*", "docker/a", "docker/b", "process/default", "process/near*", "gone/x"]);
});

test("what is offered first is what agents get that name nothing", () => {
  const choices = { runtimes: [], executors: [executor("docker"), executor("process")], targets: [target("process", "near")], secrets: [] };
  const values = (standard: string): string[] => placeChoices({ ...choices, standard }).map(({ value }) => value);
  assert.deepEqual(values("docker"), ["docker", "process", "process/near"]);
  assert.deepEqual(values("process"), ["process", "process/near", "docker"]);
});

test("an executor's own place is ready when a check says so, and else it says what is wrong", () => {
  const finding = (level: Finding["level"], check: string): Finding => ({ level, check, message: check });
  const findings = [
    finding("ok", "executor docker"),
    finding("warning", "executor docker: image"),
    finding("warning", "executor dock: engine"),
    finding("ok", "executor dock: plugin"),
    finding("error", "plugin other"),
  ];
  const seen = (name: string): unknown[] => {
    const { ready, findings: wrong } = seenOf(name, { findings });
    return [ready, ...wrong.map(({ check }) => check)];
  };
  assert.deepEqual(seen("docker"), [true, "executor docker: image"]);
  assert.deepEqual(seen("dock"), [false, "executor dock: engine"]);
  assert.deepEqual(seen("other"), [false, "plugin other"]);
});

test("a setting that is a secret itself is typed unseen", () => {
  const options = optionsOf({ properties: { key: { anyOf: [{ type: "string", format: "password" }, { type: "null" }] }, host: { type: "string" } } });
  assert.deepEqual(options.map(({ kind }) => kind), ["password", "text"]);
  assert.deepEqual(valuesOf(options, { key: " s3cret ", host: "" }), { key: " s3cret " });
});
