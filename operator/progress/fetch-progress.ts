import { workerPorts } from '../../api/worker.ts';

/** A worker answers at once or is busy dying. Milliseconds. */
const timeoutMs = 3000;
/** More than a progress ever is. */
const maxBytes = 65_536;

/** `GET /progress` of a worker. Throws whatever goes wrong. */
export async function fetchProgress(podIp: string): Promise<unknown> {
  const host = podIp.includes(':') ? `[${podIp}]` : podIp;
  const response = await fetch(`http://${host}:${workerPorts.http}/progress`, {
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  });
  if (!response.ok || response.body === null) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > maxBytes) return undefined;
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString()) as unknown;
}
