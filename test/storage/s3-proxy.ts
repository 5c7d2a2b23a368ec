import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { buffer } from 'node:stream/consumers';

/** What happens to a request: it is answered, or it is done and the answer is lost or breaks off in its middle. */
export type Fate = 'answered' | 'answer lost' | 'answer cut';

/**
 * A network between client and server that can fail.
 *
 * @param port of the server, on the loopback
 * @param fate asked for each request once it has arrived whole, before the server gets it
 * @returns the endpoint. Ends with the tests of the file
 */
export async function s3Proxy(
  port: number,
  fate: (method: string, path: string) => Fate | Promise<Fate>,
): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const forward = async (): Promise<void> => {
      const body = await buffer(incoming);
      const decided = await fate(method, url);
      const call = request({ port, host: '127.0.0.1', method, path: url, headers, agent: false }).end(body);
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      const content = await buffer(answer);
      if (decided === 'answer lost') {
        outgoing.destroy();
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      if (decided === 'answered') outgoing.end(content);
      else outgoing.write(content.subarray(0, content.length / 2), () => outgoing.destroy());
    };
    // A server that is gone is a connection that breaks.
    forward().catch(() => outgoing.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
