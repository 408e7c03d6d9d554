import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { clockText } from "../../web/src/parts/clock";
import { CastReader, NoCast, sizeOf, type Cast } from "../../web/src/player/cast";
import { Playback, type Stage } from "../../web/src/player/playback";
import { MOST_HITS, Transcript } from "../../web/src/player/transcript";

const encoder = new TextEncoder();

function castOf(...lines: unknown[]): CastReader {
  const reader = new CastReader();
  const head = { version: 2, width: 100, height: 30 };
  for (const line of [head, ...lines]) reader.add(encoder.encode(`${JSON.stringify(line)}\n`));
  reader.end();
  return reader;
}

test("a cast is the same whatever pieces it comes in", () => {
  const text = `{"version": 2, "width": 100, "height": 30}\n[0.5, "o", "世"]\n[1, "r", "80x24"]\n[1.5, "i", "x"]\n[2, "m", "5 bytes missed"]\n`;
  const reader = new CastReader();
  for (const byte of encoder.encode(text)) reader.add(Uint8Array.of(byte));
  const { size, duration, events } = reader.cast;
  assert.deepEqual(size, { cols: 100, rows: 30 });
  assert.equal(duration, 2);
  assert.deepEqual(events.map(({ code, data }) => code + data), ["o世", "r80x24", "m5 bytes missed"]);
});

test("what is no cast is refused", () => {
  for (const bad of ["<html>\n", '{"version": 3}\n', '{"version": 2}\n{}\n', '{"version": 2}\n["x", "o", "y"]\n', "[]\n"]) {
    assert.throws(() => new CastReader().add(encoder.encode(bad)), NoCast);
  }
  assert.equal(sizeOf("axb"), undefined);
  assert.deepEqual(sizeOf("99999x1"), { cols: 1000, rows: 2 });
});

function found(wanted: string, ...output: string[]): number[] {
  const transcript = new Transcript();
  output.forEach((part, at) => transcript.add(at, part));
  return transcript.find(wanted);
}

test("text is found where it was whole, over the borders of output and between escape sequences", () => {
  assert.deepEqual(found("hello", "he", "l", "lo", "x"), [2]);
  assert.deepEqual(found("hello", "h\x1b[3", "1mel\x1b]0;hello\x07lo"), [1]);
  assert.deepEqual(found("HELLO", "hello hello", "hello"), [0, 0, 1]);
  assert.deepEqual(found("ab", "a\x1b[5;5Hb", "a\x1b[Cb"), []);
  assert.deepEqual(found("a.b(", "axb(", "a.b("), [1]);
  assert.deepEqual(found("", "a"), []);
});

test("what a line editor erased is not there", () => {
  assert.deepEqual(found("echo", "ecx", "\b \b", "ho"), [2]);
  assert.deepEqual(found("x", "ecx", "\b \b", "ho\r\nx"), [2]);
});

test("hits are bounded", () => {
  assert.equal(found("a", "a".repeat(MOST_HITS + 5)).length, MOST_HITS);
});

class FakeStage implements Stage {
  shown = "";
  size = "";
  held: (() => void)[] | null = null;

  reset(size: { cols: number; rows: number }): void {
    this.shown = "";
    this.resize(size);
  }

  write(text: string, shown: () => void): void {
    this.shown += text;
    if (this.held) this.held.push(shown);
    else queueMicrotask(shown);
  }

  resize({ cols, rows }: { cols: number; rows: number }): void {
    this.size = `${cols}x${rows}`;
  }

  cut(): void {
    this.shown += "|";
  }
}

function playing(cast: Cast, context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const stage = new FakeStage();
  let now = 0;
  const playback = new Playback(cast, stage, () => now);
  const pass = (milliseconds: number): void => {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      now += 10;
      context.mock.timers.tick(10);
    }
  };
  return { stage, playback, pass };
}

const story = castOf([1, "o", "a"], [2, "r", "80x24"], [2, "o", "b"], [3, "m", "9 bytes missed"], [30, "o", "c"]).cast;

test("output comes at its time, by the speed, and ends", (context) => {
  const { stage, playback, pass } = playing(story, context);
  assert.equal(stage.size, "100x30");
  playback.play();
  pass(950);
  assert.equal(stage.shown, "");
  pass(100);
  assert.equal(stage.shown, "a");
  playback.setSpeed(4);
  pass(300);
  assert.equal(stage.shown, "ab");
  assert.equal(stage.size, "80x24");
  playback.pause();
  pass(60_000);
  assert.equal(stage.shown, "ab");
  playback.play();
  playback.setSpeed(8);
  pass(5_000);
  assert.equal(stage.shown, "ab|c");
  assert.equal(playback.state.value.playing, false);
  assert.equal(playback.state.value.time, 30);
});

test("pauses are skipped when a person wants that", (context) => {
  const { stage, playback, pass } = playing(story, context);
  playback.setSkip(true);
  playback.play();
  pass(4_300);
  assert.equal(stage.shown, "ab|c");
});

test("a seek shows what there was at that time, forwards and back", async (context) => {
  const { stage, playback } = playing(story, context);
  await playback.seek(2.5);
  assert.equal(stage.shown, "ab");
  await playback.seek(99);
  assert.equal(stage.shown, "ab|c");
  assert.equal(playback.state.value.time, 30);
  await playback.seek(1);
  assert.equal(stage.shown, "a");
  assert.equal(stage.size, "100x30");
  await playback.seek(-5);
  assert.equal(stage.shown, "");
  assert.equal(playback.state.value.seeking, false);
});

test("of two seeks the last one holds", async (context) => {
  const long = castOf(...Array.from({ length: 50 }, (_, at) => [at + 1, "o", String.fromCharCode(65 + at).repeat(100_000)])).cast;
  const { stage, playback } = playing(long, context);
  stage.held = [];
  const first = playback.seek(50);
  const second = playback.seek(2);
  const drain = setInterval(() => stage.held?.splice(0).forEach((shown) => shown()), 1);
  await Promise.all([first, second]);
  clearInterval(drain);
  assert.equal(stage.shown.length, 200_000);
  assert.equal(playback.state.value.time, 2);
  assert.equal(playback.state.value.seeking, false);
});

test("at the end, play begins again", async (context) => {
  const { stage, playback, pass } = playing(story, context);
  await playback.seek(30);
  playback.play();
  await Promise.resolve();
  pass(1_500);
  assert.equal(stage.shown, "a");
});

test("what is read later is played later", (context) => {
  const reader = new CastReader();
  reader.add(encoder.encode('{"version": 2}\n[0.1, "o", "a"]\n'));
  const { stage, playback, pass } = playing(reader.cast, context);
  playback.play();
  pass(1_000);
  assert.equal(stage.shown, "a");
  assert.equal(playback.state.value.playing, true);
  reader.add(encoder.encode('[0.2, "o", "b"]\n'));
  reader.end();
  playback.grown();
  pass(500);
  assert.equal(stage.shown, "ab");
  assert.equal(playback.state.value.playing, false);
});

test("times are read as clocks", () => {
  assert.deepEqual([0, 7.9, 754, 3723].map(clockText), ["0:00", "0:07", "12:34", "1:02:03"]);
});
