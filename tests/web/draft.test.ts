import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../../web/src/api/problem";
import { agentOf, inputOf, type Draft } from "../../web/src/pages/draft";

const EMPTY: Draft = {
  name: " a1 ",
  runtime: "shell",
  executor: "process",
  folder: "",
  repository: "",
  image: "",
  command: "",
  environment: "",
  cpu: "",
  memory: "",
  options: {},
  runtimeOptions: {},
};

const declared = (part: Partial<Draft>) => agentOf({ ...EMPTY, ...part }, undefined, undefined).spec;

function problemOf(part: Partial<Draft>): Problem {
  try {
    declared(part);
  } catch (problem) {
    if (problem instanceof Problem) return problem;
  }
  throw new Error("nothing was refused");
}

test("what is left empty is left to the server", () => {
  const agent = JSON.parse(JSON.stringify(agentOf(EMPTY, undefined, undefined)));
  const nothing = { env: {}, resources: {}, options: {}, runtimeOptions: {} };
  assert.deepEqual(agent, { name: "a1", spec: { runtime: "shell", executor: "process", ...nothing } });
});

test("what is written arrives in the API's units", () => {
  const spec = declared({
    folder: "/work ",
    repository: "https://example.org/a/b.git",
    command: "python3 -c 'print(1)'",
    environment: "A=1=2\n\n B =x y\n",
    cpu: "1.5",
    memory: "512",
  });
  assert.deepEqual(spec.workspace, { folder: "/work", git: { url: "https://example.org/a/b.git" } });
  assert.deepEqual(spec.command, ["python3", "-c", "print(1)"]);
  assert.deepEqual(spec.env, { A: "1=2", B: "x y" });
  assert.deepEqual(spec.resources, { cpu: 1.5, memory: 512 * 1024 * 1024 });
});

test("what the server cannot be asked is refused by the field that it is about", () => {
  assert.equal(inputOf(problemOf({ environment: "A=1\nnothing" })), "environment");
  assert.equal(inputOf(problemOf({ environment: "=1" })), "environment");
  assert.equal(inputOf(problemOf({ memory: "2G" })), "memory");
});

test("a problem of the repository is not one of the folder", () => {
  assert.equal(inputOf(new Problem(400, "no", "InvalidSpec", "spec.workspace.git.url")), "repository");
  assert.equal(inputOf(new Problem(400, "no", "InvalidSpec", "spec.workspace.folder")), "folder");
  assert.equal(inputOf(new Problem(400, "no", "InvalidSpec", "spec.imagePull")), null);
});
