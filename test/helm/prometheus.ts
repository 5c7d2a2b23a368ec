import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { freePort } from '../storage/s3-server.ts';

/** Why there is no Prometheus; false if there is one. */
export function missingPrometheus(): string | false {
  const found = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).error === undefined);
  if (found) return false;
  const skip = 'Prometheus is missing: apt-get install --no-install-recommends prometheus';
  process.stderr.write(`SKIPPED, not passed: the tests of alerts and dashboard. Reason: ${skip}\n`);
  return skip;
}

export interface Target {
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** A real Prometheus that scrapes every second and evaluates the rules. */
export class Prometheus {
  readonly #port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.#port = port;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(targets: readonly Target[], ruleFile: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'simsiam-prometheus-'));
    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    const static_configs = targets.map(({ port, labels }) => ({ targets: [`127.0.0.1:${port}`], labels }));
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [ruleFile],
        scrape_configs: [{ job_name: 'simsiam', static_configs }],
      }),
    );
    const child = spawn(
      'prometheus',
      [
        ...[`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=warn'],
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const prometheus = new Prometheus(port, child, folder);
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined);
      if (answer?.ok === true) return prometheus;
      if (child.exitCode !== null || tries === 600) throw new Error('Prometheus does not come up');
      await pause(100);
    }
  }

  async query(expr: string): Promise<readonly Sample[]> {
    return (await this.#get<{ result: Sample[] }>(`query?query=${encodeURIComponent(expr)}`)).result;
  }

  /** Health of each rule, by its alert, once all have been evaluated. */
  async rules(): Promise<ReadonlyMap<string, { readonly health: string; readonly lastError?: string }>> {
    type Rule = { name: string; health: string; lastError?: string };
    for (;;) {
      const { groups } = await this.#get<{ groups: { rules: Rule[] }[] }>('rules');
      const rules = groups.flatMap((group) => group.rules);
      if (rules.every(({ health }) => health !== 'unknown')) return new Map(rules.map((rule) => [rule.name, rule]));
      await pause(100);
    }
  }

  /** The result of a query as soon as it has one: a target that answers late is missing for a scrape. */
  async until(expr: string): Promise<readonly Sample[]> {
    for (let tries = 0; tries < 300; tries++) {
      const result = await this.query(expr);
      if (result.length > 0) return result;
      await pause(100);
    }
    throw new Error(`${expr} stays empty`);
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/v1/${path}`);
    const { status, error, data } = (await answer.json()) as { status: string; error?: string; data: T };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }
}
