import { readFileSync } from 'node:fs';

/** Linux counts a process's CPU time in hundredths of a second. */
const msPerTick = 10;

/** What a process of this machine has used, by Linux' /proc. */
export class ProcessUsage {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** User and system time of all its threads. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  }

  /** The most resident memory that it ever had. */
  peakMemoryMiB(): number {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))!;
    return Number(kib) / 1024;
  }
}

/** Asks `/healthz` ten times a second: the answer comes once the event loop is free. */
export class LagProbe {
  readonly #ms: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(url: string) {
    this.#timer = setInterval(() => {
      const start = performance.now();
      // One that ends before it answers shows in everything else.
      void fetch(`${url}/healthz`).then(
        async (response) => {
          await response.text();
          this.#ms.push(performance.now() - start);
        },
        () => {},
      );
    }, 100);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  read(): { lagP99Ms: number; lagMaxMs: number } {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return { lagP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? NaN, lagMaxMs: sorted.at(-1) ?? NaN };
  }
}
