import { readFile } from 'node:fs/promises';
import { get } from 'node:https';

/** Whether an API server says that it is ready. One that can't be reached isn't. */
export async function isReady(url: string, caFile: string, token: string): Promise<boolean> {
  let ca: Buffer;
  try {
    ca = await readFile(caFile);
  } catch {
    return false; // it makes its certificate before it listens
  }
  return new Promise((resolve) => {
    const options = { ca, agent: false, headers: { authorization: `Bearer ${token}` } } as const;
    const request = get(`${url}/readyz`, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}
