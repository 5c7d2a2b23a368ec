import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callError } from '../../trainer/tensorflow/call-error.ts';
import { PeerLostError, TensorFlowError, TensorUseError } from '../../trainer/tensorflow/errors.ts';

const locations = new Map([['MatMul_12', { file: '/nowhere/resnet.js', line: 7, column: 1 }]]);

function native(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function translate(code: string, message: string, collective: boolean): ReturnType<typeof callError> {
  return callError(native(code, message), 'step', locations, collective);
}

describe('the error of a call', () => {
  it('is a lost peer only for what ends a collective of a function that has some', () => {
    for (const code of ['TF_UNAVAILABLE', 'TF_DEADLINE_EXCEEDED', 'TF_ABORTED', 'TF_FAILED_PRECONDITION']) {
      const lost = translate(code, 'Connection reset', true);
      assert.ok(lost instanceof PeerLostError);
      assert.equal(lost.status, code);
      assert.equal(lost.exitCode, 69);
      assert.ok(translate(code, 'Connection reset', false) instanceof TensorFlowError);
    }
    assert.ok(translate('TF_INVALID_ARGUMENT', 'Shapes differ', true) instanceof TensorFlowError);
  });

  it('finds the place of a node, also under the names of optimised graphs', () => {
    for (const node of ['MatMul_12', 'gradients/MatMul_12', 'MatMul_12/ArithmeticOptimizer']) {
      const error = translate('TF_INTERNAL', `{{function_node step}} No kernel\n\t [[{{node ${node}}}]]`, false);
      assert.equal(error.message, 'TensorFlow: step: No kernel (op MatMul, traced at resnet.js:7) [TF_INTERNAL]');
    }
    assert.equal(
      translate('TF_INTERNAL', 'No kernel {{node Add_1}}', false).message,
      'TensorFlow: step: No kernel [TF_INTERNAL]',
    );
  });

  it('is one line, the first root error', () => {
    const message = '2 root error(s) found.\n  (0) INTERNAL: first\n\t [[{{node MatMul_12}}]]\n  (1) INTERNAL: second';
    assert.match(translate('TF_INTERNAL', message, false).message, /^TensorFlow: step: INTERNAL: first \(op MatMul/);
  });

  it('of a thing that was used after its end is a TensorUseError', () => {
    assert.ok(translate('NATIVE_DISPOSED', 'this function was disposed of before', true) instanceof TensorUseError);
  });
});
