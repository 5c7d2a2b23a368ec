import { testSchedules } from './judge.ts';

// A watch leaves out each single change, or a new operator begins with each older state.
testSchedules('each event left out', (explorer) => explorer.singles(['drop']));
testSchedules('every other older state shown', (explorer) => explorer.rewinds(2));
