import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { addressOf, anyTaken, freePorts, untilListened } from '../../trainer/launch/ports.ts';

test('as many different free ports as asked for', async () => {
  const ports = await freePorts(20);
  assert.equal(new Set(ports).size, 20);
  assert.equal(await anyTaken(ports), false);
});

for (const host of ['127.0.0.1', '0.0.0.0'])
  test(`a port that somebody listens at on ${host} is taken`, async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    assert.equal(await anyTaken([...(await freePorts(1)), (server.address() as AddressInfo).port]), true);
    await new Promise((closed) => server.close(closed));
  });

test('who waits until somebody listens hears it, and does not wait for ever', async () => {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  await untilListened(address, 0);
  const server = createServer();
  const waiting = untilListened(address, 600_000);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await waiting;
  await new Promise((closed) => server.close(closed));
});

test('an IPv6 address has brackets', () => {
  assert.equal(addressOf('10.0.0.7', 1), '10.0.0.7:1');
  assert.equal(addressOf('fd00::7', 1), '[fd00::7]:1');
});
