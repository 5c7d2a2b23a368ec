import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { RendezvousClient } from '../../trainer/rendezvous/client.ts';
import { RendezvousListenError } from '../../trainer/rendezvous/errors.ts';
import { joinOf, type Claim, type Identity } from '../../trainer/rendezvous/handshake.ts';
import { protocolVersion, type CoordinatorMessage, type Refusal } from '../../trainer/rendezvous/messages.ts';
import { RendezvousServer } from '../../trainer/rendezvous/server.ts';
import { rendezvousTimes } from '../../trainer/rendezvous/times.ts';
import { ManualTimers } from './fixtures/manual-timers.ts';

const identity: Identity = { run: 'a-uid', stage: 'pretrain', workers: 2, token: 'swordfish' };
const host = '127.0.0.1';

describe('the server of a rendezvous', { timeout: 20_000 }, () => {
  let timers: ManualTimers;
  let server: RendezvousServer;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    timers = new ManualTimers();
    server = await listen(0);
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  const listen = async (port: number): Promise<RendezvousServer> =>
    await RendezvousServer.listen({
      ...{ identity, host, port, patienceMs: 60_000, restarts: 3, remade: true, backoff: () => 0 },
      ...{ times: rendezvousTimes, timers, now: () => timers.now, onEvent: () => {} },
    });

  interface Member {
    readonly client: RendezvousClient;
    readonly messages: CoordinatorMessage[];
    readonly heard: (type: CoordinatorMessage['type']) => Promise<void>;
    readonly joined: Promise<'joined' | { down: Refusal | undefined }>;
    readonly down: Promise<Refusal | undefined>;
  }

  function dial(changes: Partial<Identity & Claim> & { port?: number } = {}): Member {
    const { index = 0, incarnation = 'an-incarnation', generation = 0, port = server.port, ...others } = changes;
    const messages: CoordinatorMessage[] = [];
    let wake = (): void => {};
    let setDown: (refusal: Refusal | undefined) => void = () => {};
    let setJoined: (joined: Awaited<Member['joined']>) => void = () => {};
    const down: Member['down'] = new Promise((resolve) => (setDown = resolve));
    const joined: Member['joined'] = new Promise((resolve) => (setJoined = resolve));
    const client = new RendezvousClient({
      ...{ host, port, identity: { ...identity, ...others }, claim: { index, incarnation, generation } },
      ...{ times: rendezvousTimes, timers },
      onJoined: () => setJoined('joined'),
      onMessage: (message) => {
        messages.push(message);
        wake();
      },
      onDown: (refusal) => {
        setJoined({ down: refusal });
        setDown(refusal);
      },
    });
    const heard = async (type: CoordinatorMessage['type']): Promise<void> => {
      while (!messages.some((message) => message.type === type)) await new Promise<void>((resolve) => (wake = resolve));
    };
    return { client, messages, heard, joined, down };
  }

  /** A connection that speaks for itself. */
  async function stranger(): Promise<Socket> {
    const socket = connect(server.port, host);
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  test('two workers that know the token start together, each with its first rank', async () => {
    const both = [dial({ index: 0, incarnation: 'a' }), dial({ index: 1, incarnation: 'b' })];
    for (const [index, { client, joined }] of both.entries()) {
      assert.equal(await joined, 'joined');
      client.send({ type: 'offer', addresses: [`127.0.0.${index + 1}:1`], device: 'cpu' });
    }
    await Promise.all(both.map(({ heard }) => heard('start')));
    const addresses = ['127.0.0.1:1', '127.0.0.2:1'];
    assert.deepEqual(
      both.map(({ messages }) => messages.at(-1)),
      [0, 1].map((firstRank) => ({ type: 'start', generation: 1, firstRank, addresses })),
    );
  });

  const refused: [Partial<Identity & Claim>, Refusal][] = [
    [{ token: 'guess' }, 'token'],
    [{ run: 'another-uid' }, 'run'],
    [{ stage: 'linear' }, 'stage'],
    [{ workers: 3 }, 'workers'],
    [{ index: 2 }, 'index'],
  ];
  for (const [changes, reason] of refused)
    test(`refused: ${JSON.stringify(changes)}`, async () => {
      assert.deepEqual(await dial(changes).joined, { down: reason });
    });

  test('a worker leaves who only pretends to know the token', async (t) => {
    const impostor: Server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(`${JSON.stringify({ type: 'hello', protocol: protocolVersion, nonce: '0'.repeat(64) })}\n`);
      socket.once('data', () => socket.write(`${JSON.stringify({ type: 'welcome', proof: '1'.repeat(64) })}\n`));
    });
    t.after(() => impostor.close());
    impostor.listen(0, host);
    await once(impostor, 'listening');
    const { port } = impostor.address() as { port: number };
    assert.deepEqual(await dial({ port }).joined, { down: 'token' });
  });

  test('a worker leaves who speaks another version', async (t) => {
    const other: Server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(`${JSON.stringify({ type: 'hello', protocol: 99, nonce: '0'.repeat(64) })}\n`);
    });
    t.after(() => other.close());
    other.listen(0, host);
    await once(other, 'listening');
    assert.deepEqual(await dial({ port: (other.address() as { port: number }).port }).joined, { down: 'protocol' });
  });

  test('a join that was heard on another connection is worth nothing here', async () => {
    const hello = async (): Promise<{ socket: Socket; nonce: string; lines: AsyncIterator<string> }> => {
      const socket = await stranger();
      const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
      const { nonce } = JSON.parse((await lines.next()).value) as { nonce: string };
      return { socket, nonce, lines };
    };
    const [first, second] = [await hello(), await hello()];
    const claim = { index: 0, incarnation: 'a', generation: 0 };
    const join = joinOf(identity, claim, { server: first.nonce, own: 'f'.repeat(64) });
    second.socket.write(`${JSON.stringify(join)}\n`);
    assert.deepEqual(JSON.parse((await second.lines.next()).value), { type: 'refuse', reason: 'token' });
  });

  const nonsense = {
    'no JSON': 'GET / HTTP/1.1\r\n\r\n',
    'another type': '{"type":"stop"}\n',
    'a line without end': 'x'.repeat(5_000),
    'a long line': `${JSON.stringify({ type: 'join', run: 'y'.repeat(5_000) })}\n`,
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
    'a deep structure': `${'['.repeat(2_000)}${']'.repeat(2_000)}\n`,
    'a prototype': '{"__proto__":{"type":"join"},"constructor":1}\n',
  };
  for (const [name, bytes] of Object.entries(nonsense))
    test(`${name}: the connection is closed, and others are served`, async () => {
      const socket = await stranger();
      socket.resume();
      socket.write(bytes);
      await once(socket, 'close');
      assert.equal(await dial().joined, 'joined');
    });

  test('a member that sends nonsense is lost, and may come back', async () => {
    const claim = { index: 1, incarnation: 'b', generation: 0 };
    const member = dial(claim);
    assert.equal(await member.joined, 'joined');
    member.client.send({ type: 'nonsense' } as never);
    await member.down;
    assert.equal(await dial(claim).joined, 'joined');
  });

  test('one that says nothing has to go in time', async () => {
    const socket = await stranger();
    await once(socket, 'data');
    timers.pass(rendezvousTimes.handshake);
    await once(socket, 'close');
  });

  test('hundreds that say nothing keep no worker out', async () => {
    await Promise.all(Array.from({ length: 300 }, stranger));
    assert.equal(await dial().joined, 'joined');
  });

  test('a member that falls silent is lost', async () => {
    const member = dial();
    assert.equal(await member.joined, 'joined');
    // Neither end hears the other while this test holds the event loop.
    timers.pass(rendezvousTimes.silence);
    await member.down;
  });

  test('heartbeats keep a quiet connection', async () => {
    const member = dial();
    assert.equal(await member.joined, 'joined');
    for (let i = 0; i < 3; i++) {
      const pings = member.messages.length;
      timers.pass(rendezvousTimes.heartbeat);
      while (member.messages.length === pings) await new Promise((resolve) => setImmediate(resolve));
      member.client.send({ type: 'pong' });
    }
    assert.deepEqual(
      member.messages.map(({ type }) => type),
      ['ping', 'ping', 'ping'],
    );
  });

  test('a taken port is an error that names it', async () => {
    await assert.rejects(listen(server.port), (error: unknown) => {
      assert.ok(error instanceof RendezvousListenError);
      assert.match(error.message, new RegExp(`127.0.0.1:${server.port} .*EADDRINUSE`));
      return true;
    });
  });

  test('a name that does not exist, and a port that nobody listens at, are down', async () => {
    const client = (to: { host: string; port: number }): Promise<Refusal | undefined> =>
      new Promise((resolve) => {
        const claim = { index: 0, incarnation: 'a', generation: 0 };
        const never = (): void => assert.fail('joined');
        const options = { ...to, identity, claim, times: rendezvousTimes, timers };
        void new RendezvousClient({ ...options, onJoined: never, onMessage: never, onDown: resolve });
      });
    server.close();
    assert.equal(await client({ host: 'no-such-name.invalid', port: 1 }), undefined);
    assert.equal(await client({ host, port: 1 }), undefined);
  });
});
