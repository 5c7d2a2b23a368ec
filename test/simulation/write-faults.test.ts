import { testSchedules } from './judge.ts';

// The operator dies after each of its writes, and another one starts.
testSchedules('a crash after each write', (explorer) => explorer.singles(['crash-after']));

// Several faults at once, and messages that take any time.
testSchedules('ten random schedules', (explorer) => Array.from({ length: 10 }, (_, seed) => explorer.sample(seed)));
