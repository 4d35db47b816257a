import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { KeysAnswer } from '../../shared/keys.ts';
import { Scene, violations } from './scene.ts';

describe('“Connect a tool” on the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  const lines = async (page: Page) => (await page.locator('.lines pre').textContent()) ?? '';

  it('makes a key into the lines of a tool, copies them, and tells when its first request has come', async () => {
    const member = await scene.member();
    const { page, context, told } = await scene.window();
    await scene.enter(page, member, 'connect');
    await page.getByRole('tab', { name: 'Claude Code' }).waitFor();
    const { url } = scene.server;
    assert.match(
      await lines(page),
      new RegExp(`^export ANTHROPIC_BASE_URL=${url}\nexport ANTHROPIC_AUTH_TOKEN='pgk_…'\n`),
    );
    assert.deepEqual(await violations(page), []);
    await page.getByRole('tab', { name: 'SDK' }).click();
    await page.getByRole('button', { name: 'Make a key for SDK' }).click();
    await page.getByText('Waiting for the first request').waitFor();
    const secret = /pgk_[0-9A-Za-z]{49}/.exec(await lines(page))?.[0] ?? '';
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy the lines' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), await lines(page));
    const refused = await fetch(`${url}/v1/models/none`, { headers: { authorization: `Bearer ${secret}` } });
    assert.equal(refused.status, 404);
    await page.getByText('The key was used just now, and nothing was answered yet.').waitFor();
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'user-agent': 'opencode/1.18' },
      body: JSON.stringify({ model: 'double', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    assert.equal(response.status, 200);
    await page.getByText(/First request seen .*: OpenCode, double, 1 credit$/).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.reload();
    await page.getByRole('button', { name: 'Make a key for Claude Code' }).waitFor();
    assert.ok(!(await page.content()).includes(secret), 'it is shown once');
    const { keys } = (await member.request<KeysAnswer>('GET', '/api/keys')).body;
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['SDK'],
    );
    assert.deepEqual(told, []);
    await context.close();
  });

  it('is walked through by the keyboard', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'connect');
    await page.getByRole('tab', { name: 'Claude Code' }).focus();
    const chosen = () => page.locator('[role=tab][aria-selected=true]').textContent();
    for (const [key, name] of [
      ['ArrowRight', 'Codex'],
      ['End', 'SDK'],
      ['ArrowRight', 'Claude Code'],
      ['ArrowLeft', 'SDK'],
      ['Home', 'Claude Code'],
    ] as const) {
      await page.keyboard.press(key);
      assert.equal(await chosen(), name, key);
      assert.equal(await page.evaluate('document.activeElement.textContent'), name);
    }
    await context.close();
  });
});
