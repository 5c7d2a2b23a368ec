import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../../scripts/setup/errors.ts';
import { findTools } from '../../../scripts/setup/tools.ts';

const nothing = { PYTHON: '/no/such/python3', CXX: '/no/such/g++' };

describe('findTools', () => {
  it('says each missing tool on a line of its own, with the mend', async () => {
    await assert.rejects(findTools({ python: true, compiler: true }, nothing), (error) => {
      assert.ok(error instanceof SetupError);
      const [python, compiler, ...rest] = error.message.split('\n');
      assert.match(
        python ?? '',
        /PYTHON=\/no\/such\/python3 can't be run: unset PYTHON or set it to a Python 3 with pip/,
      );
      assert.match(compiler ?? '', /CXX=\/no\/such\/g\+\+ can't be run: unset CXX/);
      assert.deepEqual(rest, []);
      return true;
    });
  });

  it('names the packages to install where no variable names a tool', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/no/such/folder';
    try {
      await assert.rejects(findTools({ python: true, compiler: true }, {}), (error) => {
        assert.ok(error instanceof SetupError);
        assert.match(
          error.message,
          /^python3 is missing: install Python 3 with pip \(apt-get [^\n]+\)\na C\+\+ compiler/,
        );
        return true;
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('says which variable names a file that may not be run', async () => {
    const file = fileURLToPath(import.meta.url); // not executable
    const asked = findTools({ python: true, compiler: true }, { PYTHON: file, CXX: file });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof SetupError);
      const lines = error.message.split('\n').map((line) => line.replace(file, 'FILE'));
      assert.deepEqual(lines, [
        "PYTHON=FILE can't be run: unset PYTHON or set it to a Python 3 with pip",
        "the C++ compiler CXX=FILE can't be run: unset CXX or set it to g++ or clang++",
      ]);
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
