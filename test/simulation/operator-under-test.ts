import { runOperator } from '../../operator/controller/operator.ts';
import type { Operator } from './world.ts';

/** The operator's own code. It runs until its environment falls silent, as a process that is killed does. */
export const operatorUnderTest: Operator = (environment) => {
  void runOperator(environment, new AbortController().signal);
};
