// The member's page in a real browser that has never been there: when it first shows something, and what it loads for that.
import type { Browser } from 'playwright-core';
import { launchChromium } from '../editor/browser.ts';
import type { SeededMember } from './members.ts';
import { type Finding, listed, type Measure, median } from './numbers.ts';

const ROUNDS = 7;

interface Visit {
  /** First contentful paint, in ms since the navigation began. */
  paintMs: number;
  /** Until the account is there, with its balance. */
  answeredMs: number;
  /** Of the page's own files, as they were sent. */
  bytes: number;
  files: number;
}

export async function firstPaint(
  url: string,
  seeded: SeededMember,
  say: Parameters<Measure['run']>[0],
): Promise<Finding[]> {
  const browser = await launchChromium();
  try {
    const visits: Visit[] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const seen = await visit(browser, url, seeded.pageToken);
      // The first one also starts the browser's processes.
      if (i > 0) visits.push(seen);
    }
    const paints = visits.map(({ paintMs }) => paintMs);
    const answered = visits.map(({ answeredMs }) => answeredMs);
    const kilobytes = median(visits.map(({ bytes }) => bytes)) / 1000;
    say(
      `the page: first paint ${listed(paints, 0)} ms, account there ${listed(answered, 0)} ms, ${kilobytes.toFixed(1)} KB`,
    );
    return [
      {
        id: 'page-paint',
        what: "first paint of the member's page, nothing cached",
        value: median(paints),
        unit: 'ms',
        goal: { atMost: 300 },
        note: `middle of ${listed(paints, 0)}`,
      },
      {
        id: 'page-answered',
        what: '  the account is there',
        value: median(answered),
        unit: 'ms',
        note: `middle of ${listed(answered, 0)}`,
      },
      {
        id: 'page-bytes',
        what: '  its files, gzip',
        value: kilobytes,
        unit: 'KB',
        goal: { atMost: 150 },
        note: `${visits[0]!.files} files`,
      },
    ];
  } finally {
    await browser.close();
  }
}

/** By a context of its own: no cache, and no cookie but the member's. */
async function visit(browser: Browser, url: string, token: string): Promise<Visit> {
  const context = await browser.newContext();
  try {
    await context.addCookies([{ name: 'perigee_session', value: token, url, httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    await page.goto(`${url}/account`);
    // There once the account was read.
    await page.getByRole('heading', { level: 1, name: 'Balance' }).waitFor();
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    return await page.evaluate(() => {
      const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      const resources = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const files = [navigation!, ...resources].filter(({ name }) => new URL(name).pathname.startsWith('/account'));
      return {
        paintMs: performance.getEntriesByName('first-contentful-paint')[0]!.startTime,
        answeredMs: resources.find(({ name }) => name.endsWith('/api/account'))?.responseEnd ?? Number.NaN,
        bytes: files.reduce((sum, file) => sum + file.encodedBodySize, 0),
        files: files.length,
      };
    });
  } finally {
    await context.close();
  }
}
