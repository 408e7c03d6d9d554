import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { uncut } from "../../web/src/api/cut";
import { Problem } from "../../web/src/api/problem";
import { archiveOf, DamagedArchive, fileOf } from "../../web/src/files/tar";
import { nameOf } from "../../web/src/files/naming";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function* inPieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function* brokenOff(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* inPieces(data, 700);
  throw new Problem(0, "gone");
}

async function whole(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "sac-tar-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The archive that this machine's tar makes of one file. */
function tarred(name: string, text: string, format: string): Uint8Array {
  return inFolder((folder) => {
    writeFileSync(join(folder, name), text);
    return new Uint8Array(execFileSync("tar", ["-C", folder, `--format=${format}`, "-cf", "-", `./${name}`]));
  });
}

test("this machine's tar extracts what is packed", async () => {
  const long = `deep/${"x".repeat(120)}/${"é".repeat(60)}.txt`;
  const archive = archiveOf([
    { name: "src/a.txt", content: new Blob(["hello"]), modified: 1_000_000_000_500 },
    { name: long, content: new Blob(["y".repeat(1024)]), modified: 0 },
    { name: "-empty", content: new Blob([]), modified: 0 },
  ]);
  const data = new Uint8Array(await archive.arrayBuffer());
  inFolder((folder) => {
    execFileSync("tar", ["-C", folder, "-xpof", "-"], { input: data });
    assert.deepEqual(readdirSync(folder).sort(), ["-empty", "deep", "src"]);
    assert.equal(readFileSync(join(folder, "src/a.txt"), "utf8"), "hello");
    assert.equal(readFileSync(join(folder, long), "utf8"), "y".repeat(1024));
    assert.equal(statSync(join(folder, "-empty")).size, 0);
    assert.equal(statSync(join(folder, "src/a.txt")).mtimeMs, 1_000_000_000_000);
    assert.equal(statSync(join(folder, "src/a.txt")).mode & 0o777, 0o644);
  });
});

test("the file of an archive comes out as it is, whatever tar made it and however it comes", async () => {
  const text = `first line\n${"z".repeat(3000)}`;
  for (const format of ["gnu", "pax", "ustar"]) {
    for (const name of ["short.txt", ...(format === "ustar" ? [] : [`${"n".repeat(150)}é.txt`])]) {
      for (const size of [1, 511, 100_000]) {
        let told = -1;
        const pieces = inPieces(tarred(name, text, format), size);
        assert.equal(await whole(fileOf(pieces, (known) => (told = known))), text);
        assert.equal(told, text.length);
      }
    }
  }
});

test("an empty file is a file", async () => {
  assert.equal(await whole(fileOf(inPieces(tarred("empty", "", "gnu"), 512), () => undefined)), "");
});

/** An archive whose first header says another type, with the sum that fits. */
function ofType(archive: Uint8Array, type: string): Uint8Array {
  const changed = archive.slice();
  changed[156] = type.charCodeAt(0);
  const sum = changed.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  changed.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return changed;
}

test("a size in an extended header counts more than the one beside it", async () => {
  const before = tarred("a", "0123456789", "gnu");
  const record = ofType(tarred("a", "18 size=0000000004\n", "gnu"), "x").subarray(0, 1024);
  assert.equal(await whole(fileOf(inPieces(Buffer.concat([record, before]), 512), () => undefined)), "0123");
});

test("what is no archive of a file is refused", async () => {
  const good = tarred("a", "hello", "gnu");
  const wrongSum = good.slice();
  wrongSum[0] = 65;
  const folder = ofType(good, "5");
  for (const bad of [wrongSum, folder, good.subarray(0, 400), good.subarray(0, 515), new Uint8Array(1024), bytes("no")]) {
    await assert.rejects(whole(fileOf(inPieces(bad, 512), () => undefined)), DamagedArchive);
  }
});

test("an archive that breaks off says why, and else that it broke off", async () => {
  const why = bytes(`${"data".repeat(3000)}\nSAC-Problem: {"status":404,"detail":"it has gone","reason":"FileNotFound"}`);
  await assert.rejects(whole(uncut(brokenOff(why))), { message: "it has gone", status: 404 });
  await assert.rejects(whole(uncut(brokenOff(bytes("data".repeat(3000))))), { message: "gone" });
  await assert.rejects(whole(uncut(brokenOff(bytes("\nSAC-Problem: {half")))), { message: "gone" });
  const ended = `${"data".repeat(3000)}\nSAC-Problem: {}`;
  assert.equal(await whole(uncut(inPieces(bytes(ended), 900))), ended);
});

test("a download is called after what it is of", () => {
  assert.equal(nameOf("a1", "logs/today.txt", false), "today.txt");
  assert.equal(nameOf("a1", "/srv/data/", true), "data.tar");
  for (const path of [".", "/", "..", "./"]) assert.equal(nameOf("a1", path, true), "a1.tar");
});
