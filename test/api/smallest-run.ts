import { apiVersion, kind, type SimSiamRunInput } from '../../api/run.ts';

/** A valid run that leaves out whatever it may. */
export const smallestRun: SimSiamRunInput = {
  apiVersion,
  kind,
  metadata: { name: 'digits' },
  spec: { data: { train: './train', val: './val' }, storage: { uri: './runs/digits' } },
};
