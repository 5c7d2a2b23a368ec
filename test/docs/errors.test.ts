import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';
import { RankFailedError } from '../../trainer/launch/errors.ts';
import { failureOf } from '../../trainer/launch/rank-channel.ts';

const compiled = fileURLToPath(new URL('../..', import.meta.url));
const rooms = ['api', 'cli', 'operator', 'storage', 'trainer'];
const page = readFileSync(join(compiled, '../docs/errors.md'), 'utf8');

/** Cells of the table under a heading, without its head. */
function tableOf(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

function compiledFiles(): string[] {
  return rooms.flatMap((room) =>
    readdirSync(join(compiled, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => join(compiled, room, file)),
  );
}

type ErrorClass = new (...args: unknown[]) => SimSiamError;

/** Every error class of the program, with what its instances end with. */
async function errorClasses(): Promise<{ name: string; code: string; exit: number }[]> {
  const found: { name: string; code: string; exit: number }[] = [];
  for (const file of compiledFiles()) {
    if (!/class \w+ extends \w+Error\b/.test(readFileSync(file, 'utf8'))) continue;
    const exported = Object.values((await import(file)) as Record<string, unknown>);
    for (const value of exported) {
      if (typeof value !== 'function' || !(value.prototype instanceof SimSiamError)) continue;
      // It passes on what a rank says: codes of the other classes.
      if (value === RankFailedError) continue;
      const { code, exitCode: exit } = new (value as ErrorClass)('TF_X', [], {});
      // Bases without a code are never thrown.
      if (code !== undefined) found.push({ name: value.name, code: code.replace(/^TF_X$/, 'TF_*'), exit });
    }
  }
  return found;
}

describe('docs/errors.md', () => {
  test('has the exit codes', () => {
    const documented = tableOf('Exit codes').map(([exit, name]) => [name, Number(exit)]);
    assert.deepEqual(Object.fromEntries(documented), exitCode);
  });

  test('has the code and exit code of every error class, in order, and no other', async () => {
    const classes = await errorClasses();
    assert.ok(classes.length > 30);
    const defect = failureOf(new Error('a defect'));
    const expected = [...classes.map(({ code, exit }) => `${code} ${exit}`), `${defect.code} ${defect.exitCode}`];
    const documented = tableOf('Error codes').map(([code, exit]) => `${code} ${exit}`);
    assert.deepEqual(documented, [...new Set(expected)].sort());
  });

  test('has every code of a warning', () => {
    const codes = compiledFiles().flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/code: '([A-Z_]+)'/g)].map(([, code]) => code!),
    );
    const documented = tableOf('Warnings').map(([code]) => code);
    assert.deepEqual(documented, [...new Set(codes)].filter((code) => code !== 'INTERNAL').sort());
  });
});
