import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { adviceOf, whyOf } from '../../server/web/pages/sections/requests/words.ts';
import { PROBLEMS } from '../../shared/problems.ts';
import type { RequestsAnswer } from '../../shared/requests.ts';
import { root } from '../editor/fetch.ts';
import { fillRequests } from './requestsScene.ts';
import { inOrder, Scene, until } from './scene.ts';

/** The sources of every refusal that a recorded request can end by. */
const REFUSING = ['server/gateway', 'server/platform/http/bodies.ts', 'server/platform/http/standing.ts'];

it('every code by which a request can fail has its own words: what happened, and what to do', () => {
  const files = REFUSING.flatMap((path) => {
    const whole = join(root, path);
    if (path.endsWith('.ts')) return [whole];
    return readdirSync(whole, { recursive: true, encoding: 'utf8' }).map((name) => join(whole, name));
  });
  const sources = files.filter((path) => path.endsWith('.ts')).map((path) => readFileSync(path, 'utf8'));
  const thrown = sources.flatMap((text) => [...text.matchAll(/(?:AppError|UpstreamError)\(\s*'([a-z_]+)'/g)]);
  const codes = new Set(thrown.map(([, code]) => code!));
  // Of a report about a run that has ended.
  codes.delete('outcome_already_told');
  for (const code of [
    ...codes,
    'request_refused',
    'rate_limited',
    'empty_answer',
    'node_lost',
    'internal',
    'unavailable',
  ]) {
    const usual = adviceOf({ outcome: 'failed', code: 'no such code' });
    assert.notEqual(adviceOf({ outcome: 'failed', code }), usual, code);
    assert.notEqual(whyOf({ code }), code);
  }
  assert.ok(codes.size > 20, [...codes].join());
});

describe('the requests on the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  const lines = (page: Page) => page.locator('.requests tbody tr');
  const heading = (page: Page) => page.getByRole('heading', { level: 1, name: 'Requests' }).waitFor();
  async function at(member: Parameters<Scene['enter']>[1], section = 'requests', options = {}) {
    const made = await scene.window(options);
    await scene.enter(made.page, member, section);
    await heading(made.page);
    return made;
  }

  it('are empty at first, and have a request once it has ended', async () => {
    const member = await scene.member();
    const { page, context, told } = await at(member);
    await page.getByText('There is no request yet.').waitFor();
    await inOrder(page);
    await member.run(member.chat('Hello'));
    await lines(page).first().getByText('Answered').waitFor();
    assert.equal(await lines(page).count(), 1);
    assert.deepEqual(told, []);
    await context.close();
  });

  it('lead by the keyboard from the id that a tool shows to what happened and what to do', async () => {
    const member = await scene.member();
    scene.server.double.script({ status: 401, body: { error: { message: 'Incorrect API key' } } });
    const asked = member.chat('Hello');
    await member.run(asked);
    const { requests } = (await member.request<RequestsAnswer>('GET', '/api/requests')).body;
    const { page, context } = await at(member);
    await page.getByLabel('Find a request by its x-request-id').focus();
    await page.keyboard.type('what is this');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('That is no request id.').waitFor();
    await inOrder(page);
    await page.keyboard.press('ControlOrMeta+A');
    // As a terminal shows it.
    await page.keyboard.type(`x-request-id: ${requests[0]!.id.toUpperCase()}`);
    await page.keyboard.press('Enter');
    await page.getByText(`${PROBLEMS.upstream_refused.title}.`).waitFor();
    await page.getByText('It was not charged.').waitFor();
    await page.getByText('Only the operator can mend that').waitFor();
    assert.equal(new URL(page.url()).hash, `#requests/${requests[0]!.id}`);
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'a reader’s screen begins there');
    await inOrder(page);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await lines(page).first().waitFor();
    await context.close();
  });

  it('are led to from a failed answer in the editor', async () => {
    const member = await scene.member();
    scene.server.double.script({ status: 401, body: { error: { message: 'Incorrect API key' } } });
    await member.run(member.chat('Hello'));
    const [failed] = (await member.request<RequestsAnswer>('GET', '/api/requests')).body.requests;
    const { page, context } = await scene.window();
    await page.goto(`${await scene.address(member)}&to=requests/${failed!.id}`);
    await page.getByRole('button', { name: 'Open it' }).click();
    await page.getByText(`${PROBLEMS.upstream_refused.title}.`).waitFor();
    assert.equal(new URL(page.url()).hash, `#requests/${failed!.id}`);
    await context.close();
  });

  it('are those of the account alone: another id is unknown, and says why that may be', async () => {
    const [mine, theirs] = [await scene.member(), await scene.member()];
    await theirs.run(theirs.chat('Hello'));
    const [other] = (await theirs.request<RequestsAnswer>('GET', '/api/requests')).body.requests;
    const { page, context } = await at(mine, `requests/${other!.id}`);
    await page.getByRole('alert').getByText('This account has no request').waitFor();
    await inOrder(page);
    await context.close();
  });

  it('are shown by page, only the ones that were not answered, by tool and by key, and downloaded so', async () => {
    const member = await scene.member();
    await fillRequests(scene, member);
    const { page, context } = await at(member);
    await lines(page).nth(29).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await lines(page).nth(47).waitFor();
    await page.getByLabel('Only what was not answered').check();
    await until(page, "document.querySelectorAll('.requests tbody tr').length === 30");
    const kinds = new Set(await page.locator('.requests .kind').allInnerTexts());
    assert.deepEqual([...kinds].sort(), ['Failed', 'Interrupted', 'Refused']);
    await page.getByRole('combobox', { name: 'Tool' }).selectOption('Codex');
    await until(page, "document.querySelectorAll('.requests tbody tr').length === 6");
    await lines(page).first().getByText('212 times').waitFor();
    assert.match(page.url(), /#requests\?failed=1&tool=Codex$/);
    // A reload, and whoever is sent the address, has the same requests.
    await page.reload();
    await until(page, "document.querySelectorAll('.requests tbody tr').length === 6");
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download these requests (CSV)' }).click(),
    ]);
    const pieces: Buffer[] = [];
    for await (const piece of await download.createReadStream()) pieces.push(piece as Buffer);
    assert.equal(Buffer.concat(pieces).toString().trim().split('\r\n').length, 7);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('combobox', { name: 'API key' }).selectOption('OpenCode on the laptop in the kitchen');
    await until(
      page,
      "[...document.querySelectorAll('.requests tbody tr')].every((tr) => /kitchen/.test(tr.innerText))",
    );
    await context.close();
  });

  it('are told line by line from the token log', async () => {
    const member = await scene.member();
    await member.run(member.chat('Hello'));
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'log');
    await page.locator('.log').getByRole('link', { name: 'Answer by double' }).click();
    await page.getByText('double answered to the end.').waitFor();
    await context.close();
  });

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 760, 1280])
      it(`fit and are readable at ${width} px, ${colorScheme}`, async () => {
        const member = await scene.member();
        const failed = await fillRequests(scene, member, 1);
        const { page, context } = await at(member, 'requests', { colorScheme, viewport: { width, height: 800 } });
        await lines(page).first().waitFor();
        await inOrder(page);
        await page.evaluate(`location.hash = '#requests/${failed}'`);
        await page.getByText('It was not charged.').waitFor();
        await inOrder(page);
        await context.close();
      });
});
