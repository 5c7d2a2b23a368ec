import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scraper } from '../../../operator/progress/scraper.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { progressOf } from '../reconcile/builders.ts';

interface Setting {
  readonly scraper: Scraper;
  readonly news: string[];
  readonly asked: string[];
  /** Lets time pass, and what follows from it happen. */
  readonly pass: (ms: number) => Promise<void>;
}

function setUp(scrape: (podIp: string) => unknown): Setting {
  const clock = new FakeClock();
  const news: string[] = [];
  const asked: string[] = [];
  const scraper = new Scraper({
    clock,
    random: () => 0,
    scrape: (podIp) => {
      asked.push(podIp);
      return scrape(podIp);
    },
    onProgress: (key) => news.push(key),
  });
  const pass = (ms: number): Promise<void> => clock.advance(ms);
  return { scraper, news, asked, pass };
}

const target = { podUid: 'uid-0', podIp: '10.0.0.1' };

describe('the scraper', () => {
  it('asks a worker from time to time, and tells what is new', async () => {
    let step = 1;
    const progress = () => progressOf({ pretrain: { ...progressOf().pretrain!, step } });
    const { scraper, news, asked, pass } = setUp(progress);
    scraper.track('a/run', target);
    await pass(3000);
    assert.equal(scraper.latest('a/run')?.progress.pretrain?.step, 1);
    await pass(15_000);
    assert.deepEqual([asked.length, news], [2, ['a/run']]);
    step = 2;
    await pass(15_000);
    assert.deepEqual([asked.length, news], [3, ['a/run', 'a/run']]);
    scraper.stop();
  });

  it('keeps what a worker told last when it is gone, and asks no more', async () => {
    const { scraper, asked, pass } = setUp(() => progressOf());
    scraper.track('a/run', target);
    await pass(3000);
    scraper.track('a/run', undefined);
    await pass(60_000);
    assert.equal(asked.length, 1);
    assert.equal(scraper.latest('a/run')?.podUid, 'uid-0');
    scraper.forget('a/run');
    assert.equal(scraper.latest('a/run'), undefined);
  });

  it('is not held up by workers that never answer', async () => {
    const { scraper, news, pass } = setUp((podIp) => (podIp === 'dead' ? new Promise(() => {}) : progressOf()));
    for (let run = 0; run < 31; run++) scraper.track(`a/dead-${run}`, { podUid: `dead-${run}`, podIp: 'dead' });
    scraper.track('a/alive', target);
    await pass(4000);
    assert.deepEqual(news, ['a/alive']);
    scraper.stop();
  });

  it('takes an error, nonsense and silence for nothing new', async () => {
    for (const answer of [() => Promise.reject(new Error('refused')), () => ({ stage: 'x' }), () => undefined]) {
      const { scraper, news, asked, pass } = setUp(answer);
      scraper.track('a/run', target);
      await pass(20_000);
      assert.deepEqual([asked.length, news], [2, []]);
      scraper.stop();
    }
  });
});
