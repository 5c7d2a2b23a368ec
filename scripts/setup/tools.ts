import { SetupError } from './errors.ts';
import { runProgram } from './process.ts';

/** What set-up calls on this machine. Found only when there is something to download or to compile. */
export interface Tools {
  /** A Python 3 that has pip. */
  readonly python: string;
  /** A C++17 compiler that takes GCC's options. */
  readonly compiler: string;
}

/**
 * Finds the tools that are needed.
 *
 * @throws SetupError with one line for each tool that is missing
 */
export async function findTools(needs: { python: boolean; compiler: boolean }, env = process.env): Promise<Tools> {
  const python = env.PYTHON || 'python3';
  const problems: string[] = [];
  if (needs.python) {
    if ((await runProgram(python, ['--version']))?.code !== 0) {
      problems.push(
        env.PYTHON
          ? `PYTHON=${python} can't be run: unset PYTHON or set it to a Python 3 with pip`
          : `${python} is missing: install Python 3 with pip (apt-get install python3 python3-pip, or brew install python)`,
      );
    } else if ((await runProgram(python, ['-m', 'pip', '--version']))?.code !== 0) {
      problems.push(
        `pip is missing for ${python}: install it (apt-get install python3-pip, or ${python} -m ensurepip)`,
      );
    }
  }
  const compiler = needs.compiler ? await findCompiler(env.CXX) : '';
  if (compiler === undefined) {
    problems.push(
      env.CXX
        ? `the C++ compiler CXX=${env.CXX} can't be run: unset CXX or set it to g++ or clang++`
        : 'a C++ compiler is missing: install one (apt-get install g++, or xcode-select --install on macOS)',
    );
  }
  if (compiler === undefined || problems.length > 0) throw new SetupError(problems.join('\n'));
  return { python, compiler };
}

async function findCompiler(requested: string | undefined): Promise<string | undefined> {
  for (const candidate of requested ? [requested] : ['g++', 'c++', 'clang++']) {
    if ((await runProgram(candidate, ['--version']))?.code === 0) return candidate;
  }
  return undefined;
}
