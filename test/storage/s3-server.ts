import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../api/errors.ts';
import { versitygw } from '../../scripts/tools/versitygw.ts';

/** What the server takes; nothing else does. */
export const credentials = { AWS_ACCESS_KEY_ID: 'simsiam-test', AWS_SECRET_ACCESS_KEY: 'swordfish-of-the-tests' };

/** This process and those that it starts use these credentials, and look for no others. */
export function useCredentials(environment: Readonly<Record<string, string>> = credentials): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    ...environment,
  });
}

/** A real S3 server on a loopback port, with a bucket called `bucket`, which outlives no test. */
export class S3Server {
  readonly #program: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #options: readonly string[];
  #guard: ChildProcess | undefined;

  private constructor(program: string, folder: string, port: number, options: readonly string[]) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.#options = options;
  }

  /**
   * Starts one. Where there is no Go to build it the reason comes back for `skip`, and is also printed, so that nobody
   * takes a skipped test for a passed one.
   *
   * @param folder an empty one, for what the server keeps
   * @param options more of versitygw's own, such as a certificate
   */
  static async start(
    folder: string,
    options: readonly string[] = [],
  ): Promise<{ server: S3Server; skip: false } | { server: undefined; skip: string }> {
    let program: string;
    try {
      program = await versitygw();
    } catch (thrown) {
      const skip = messageOf(thrown);
      process.stderr.write(`SKIPPED, not passed: the tests with an S3 server. Reason: ${skip}\n`);
      return { server: undefined, skip };
    }
    mkdirSync(join(folder, 'objects/bucket'), { recursive: true });
    mkdirSync(join(folder, 'iam'), { recursive: true });
    const server = new S3Server(program, folder, await freePort(), options);
    await server.restart();
    return { server, skip: false };
  }

  get port(): number {
    return this.#port;
  }

  get endpoint(): string {
    return `${this.#options.includes('--cert') ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Where the bucket's objects are files. */
  get bucketFolder(): string {
    return join(this.#folder, 'objects/bucket');
  }

  /** Starts it again, on the same port with the same objects. */
  async restart(): Promise<void> {
    const command = [
      ...[this.#program, '--port', `127.0.0.1:${this.#port}`, '--keep-alive', '--quiet'],
      ...[...this.#options, '--iam-dir', join(this.#folder, 'iam'), 'posix', join(this.#folder, 'objects')],
    ];
    // The shell kills the server when its input ends, which happens however this process ends.
    const guard = spawn('sh', ['-c', '"$@" & cat; kill -9 $!; wait', 'sh', ...command], {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
      },
    });
    this.#guard = guard;
    for (let tries = 0; !(await accepts(this.#port)); tries++) {
      if (tries === 1000) throw new Error('the S3 server did not start');
      await setTimeout(20);
    }
  }

  /** Kills it, as a power cut would. */
  async kill(): Promise<void> {
    const guard = this.#guard;
    if (guard === undefined) return;
    this.#guard = undefined;
    const closed = once(guard, 'close');
    guard.stdin!.end();
    await closed;
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // refused: nobody listens yet
  } finally {
    socket.destroy();
  }
}

/** A loopback port on which nobody listens now. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
