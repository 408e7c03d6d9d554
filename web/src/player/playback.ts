import { Observable } from "../state/observable";
import type { Size } from "../terminal/protocol";
import { sizeOf, type Cast, type CastEvent } from "./cast";

/** Where a recording is drawn, in the order of the calls. */
export interface Stage {
  reset(size: Size): void;
  write(text: string, shown: () => void): void;
  resize(size: Size): void;
  /** Output is missing here. */
  cut(): void;
}

export interface PlaybackState {
  playing: boolean;
  seeking: boolean;
  time: number;
  duration: number;
  speed: number;
  skip: boolean;
}

export const SPEEDS: readonly number[] = [0.5, 1, 2, 4, 8];
/** The longest pause in seconds when pauses are skipped. */
export const PAUSE = 1;

const TICK_MS = 50;
const BATCH = 256 * 1024;
/** Text that may wait to be drawn before time stands still. */
const BEHIND = 1024 * 1024;

/** Plays a cast on a stage. Time is the recording's, in seconds; the cast may still grow. */
export class Playback {
  readonly state: Observable<PlaybackState>;
  private next = 0;
  private base = { time: 0, at: 0 };
  private undrawn = 0;
  private seeks = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly cast: Cast,
    private readonly stage: Stage,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.state = new Observable<PlaybackState>({
      playing: false,
      seeking: false,
      time: 0,
      duration: cast.duration,
      speed: 1,
      skip: false,
    });
    stage.reset(cast.size);
  }

  play(): void {
    const { playing, time } = this.state.value;
    if (playing) return;
    if (this.cast.whole && time >= this.cast.duration) void this.seek(0);
    this.hold(this.state.value.time);
    this.change({ playing: true });
    this.tick();
  }

  pause(): void {
    clearTimeout(this.timer);
    this.hold(this.position());
    this.change({ playing: false, time: this.base.time });
  }

  toggle(): void {
    if (this.state.value.playing) this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    this.hold(this.position());
    this.change({ speed });
  }

  /** To the next speed in the list, or the one before. */
  shift(by: 1 | -1): void {
    const speed = SPEEDS[SPEEDS.indexOf(this.state.value.speed) + by];
    if (speed !== undefined) this.setSpeed(speed);
  }

  setSkip(skip: boolean): void {
    this.change({ skip });
  }

  /** More of the cast was read. */
  grown(): void {
    this.change({ duration: this.cast.duration });
  }

  close(): void {
    clearTimeout(this.timer);
    this.seeks += 1;
  }

  /** Show the recording as it was at a time. A seek that is begun before another ended takes its place. */
  async seek(wanted: number): Promise<void> {
    const time = Math.max(0, Math.min(wanted, this.cast.duration));
    this.seeks += 1;
    const seek = this.seeks;
    this.hold(time);
    this.change({ time, seeking: true });
    if ((this.cast.events[this.next - 1]?.at ?? 0) > time) this.rewind();
    while (seek === this.seeks && this.isDue(time)) await this.drawn(time);
    if (seek !== this.seeks) return;
    this.hold(time);
    this.change({ seeking: false });
  }

  private rewind(): void {
    this.next = 0;
    this.stage.reset(this.cast.size);
  }

  private isDue(time: number): boolean {
    const event = this.cast.events[this.next];
    return event !== undefined && event.at <= time;
  }

  private drawn(time: number): Promise<void> {
    return new Promise((resolve) => this.draw(time, resolve));
  }

  /** Draw what is due, up to a batch of it. */
  private draw(time: number, shown: () => void): void {
    let text = "";
    while (this.isDue(time) && text.length < BATCH) {
      const event = this.cast.events[this.next] as CastEvent;
      this.next += 1;
      if (event.code === "o") text += event.data;
      else {
        this.write(text, () => undefined);
        text = "";
        this.mark(event);
      }
    }
    this.write(text, shown);
  }

  private mark({ code, data }: CastEvent): void {
    const size = code === "r" ? sizeOf(data) : undefined;
    if (size) this.stage.resize(size);
    if (code === "m") this.stage.cut();
  }

  private write(text: string, shown: () => void): void {
    this.undrawn += text.length;
    this.stage.write(text, () => {
      this.undrawn -= text.length;
      shown();
    });
  }

  private tick(): void {
    clearTimeout(this.timer);
    const { playing, seeking } = this.state.value;
    if (!playing) return;
    if (!seeking) this.advance();
    if (this.state.value.playing) this.timer = setTimeout(() => this.tick(), this.nextTick());
  }

  private advance(): void {
    if (this.undrawn > BEHIND) return this.hold(this.state.value.time);
    const time = this.hurried(this.position());
    if (this.isDue(time)) this.draw(time, () => undefined);
    this.change({ time });
    if (this.isDue(time)) return this.hold(time);
    if (this.cast.whole && time >= this.cast.duration) this.pause();
  }

  // Where pauses are skipped the time behind the last event stands for the time before the next.
  private hurried(time: number): number {
    const next = this.cast.events[this.next]?.at ?? (this.cast.whole ? this.cast.duration : time);
    const last = this.cast.events[this.next - 1]?.at ?? 0;
    if (!this.state.value.skip || next - last <= PAUSE || time - last < PAUSE / 2) return time;
    const hurried = Math.max(time, next - PAUSE / 2);
    if (hurried > time) this.hold(hurried);
    return hurried;
  }

  private nextTick(): number {
    const due = this.cast.events[this.next]?.at;
    if (due === undefined) return TICK_MS;
    const wait = ((due - this.position()) * 1000) / this.state.value.speed;
    return Math.max(4, Math.min(TICK_MS, wait));
  }

  /** Now, but not behind what was read. */
  private position(): number {
    const { playing, seeking, speed } = this.state.value;
    const passed = playing && !seeking ? ((this.now() - this.base.at) / 1000) * speed : 0;
    return Math.min(this.base.time + passed, this.cast.duration);
  }

  private hold(time: number): void {
    this.base = { time, at: this.now() };
  }

  private change(part: Partial<PlaybackState>): void {
    this.state.set({ ...this.state.value, ...part });
  }
}
