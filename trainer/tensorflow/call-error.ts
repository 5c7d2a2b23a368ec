import { messageOf } from '../../api/errors.ts';
import { type FailurePlace, nativeCode, PeerLostError, TensorFlowError, TensorUseError } from './errors.ts';
import { type CodeLocation, describeLocation } from './source-location.ts';

// FAILED_PRECONDITION: a rank was started anew, and its collectives don't belong to those that are under way.
const lostPeer = new Set(['TF_UNAVAILABLE', 'TF_DEADLINE_EXCEEDED', 'TF_ABORTED', 'TF_FAILED_PRECONDITION']);

/**
 * The named error of a call that failed natively. `collective`: whether the function talks to other ranks, so that
 * unavailable, timed out or aborted means that one of them is lost.
 */
export function callError(
  thrown: unknown,
  name: string,
  locations: ReadonlyMap<string, CodeLocation>,
  collective: boolean,
): TensorFlowError | PeerLostError | TensorUseError {
  const code = nativeCode(thrown);
  const message = messageOf(thrown);
  if (code === 'NATIVE_DISPOSED') return new TensorUseError(`${name}: ${message}`, { cause: thrown });
  const place = placeOf(message, locations);
  const what = `${name}: ${firstSentence(message)}`;
  return collective && lostPeer.has(code)
    ? new PeerLostError(code, what, place, { cause: thrown })
    : new TensorFlowError(code, what, place, { cause: thrown });
}

// TensorFlow names the node as {{node MatMul_12}}, in an optimised graph with a prefix or suffix: {{node a/MatMul_12/b}}.
function placeOf(message: string, locations: ReadonlyMap<string, CodeLocation>): FailurePlace {
  for (const [, path = ''] of message.matchAll(/\{\{node ([^}]+)\}\}/g)) {
    for (const node of path.split('/')) {
      const location = locations.get(node);
      if (location) return { op: node.replace(/_\d+$/, ''), tracedAt: describeLocation(location) };
    }
  }
  return {};
}

function firstSentence(message: string): string {
  const line = message
    .replace(/\{\{[^}]*\}\}/g, '')
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text.length > 0 && !/^\d+ root error/.test(text));
  return (line ?? message).replace(/^\(\d+\)\s*/, '').replace(/\s+/g, ' ');
}
