import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SetupError } from '../../../scripts/setup/errors.ts';
import { findTools } from '../../../scripts/setup/tools.ts';

const nothing = { PYTHON: '/no/such/python3', CXX: '/no/such/g++' };

describe('findTools', () => {
  it('says each missing tool on a line of its own, with the mend', async () => {
    await assert.rejects(findTools({ python: true, compiler: true }, nothing), (error) => {
      assert.ok(error instanceof SetupError);
      const [python, compiler, ...rest] = error.message.split('\n');
      assert.match(python ?? '', /python3 is missing: install Python 3 with pip/);
      assert.match(compiler ?? '', /CXX=\/no\/such\/g\+\+ can't be run: unset CXX/);
      assert.deepEqual(rest, []);
      return true;
    });
  });

  it('tells a Python without pip from no Python', async () => {
    // `node --version` answers as a Python would; `node -m pip` fails.
    const env = { PYTHON: process.execPath };
    await assert.rejects(
      findTools({ python: true, compiler: false }, env),
      /^SetupError: pip is missing for .*python3-pip/,
    );
  });

  it('asks for nothing that is not needed', async () => {
    await findTools({ python: false, compiler: false }, nothing);
  });
});
