import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { KeysAnswer, NewKeyAnswer } from '../../shared/keys.ts';
import type { Client } from '../support/client.ts';
import { Scene, until, violations } from './scene.ts';

describe('the API keys of the member’s page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
  const keysOf = async (who: Client) => (await who.request<KeysAnswer>('GET', '/api/keys')).body.keys;
  const call = async (secret: string) =>
    (await fetch(`${scene.server.url}/v1/models`, { headers: { 'x-api-key': secret } })).status;

  it('are made with limits, shown once with what a tool needs, changed, and revoked after a question', async () => {
    const member = await scene.member();
    const { page, context, told } = await scene.window({ timezoneId: 'America/New_York' });
    await scene.enter(page, member, 'keys');
    await page.getByText('There is no key yet.').waitFor();
    await button(page, 'Make a key').click();
    await until(page, 'document.activeElement.matches("form input")');
    assert.ok(await button(page, 'Make the key').isDisabled(), 'it has no name yet');
    await page.getByLabel('Name').fill('OpenCode');
    for (const wrong of ['much', '0', '-1', '1.2.3', '1.1234567']) {
      await page.getByLabel('Credits a month').fill(wrong);
      await page.getByText('Write a number of credits').waitFor();
      assert.ok(await button(page, 'Make the key').isDisabled(), wrong);
    }
    await page.getByLabel('Credits a month').fill('12,5');
    await page.getByLabel('Last day').fill('2030-01-31');
    assert.deepEqual(await violations(page), []);
    await button(page, 'Make the key').click();
    await page.getByText('OpenCode is ready.').waitFor();
    const secret = await page.getByLabel('API key', { exact: true }).inputValue();
    assert.equal(await call(secret), 200);
    assert.equal(await page.getByLabel('Base URL', { exact: true }).inputValue(), `${scene.server.url}/v1`);
    assert.equal(await page.getByLabel('Model', { exact: true }).inputValue(), 'double');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await button(page, 'Copy API key').click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), secret);
    assert.deepEqual(await violations(page), []);
    const [key] = await keysOf(member);
    assert.deepEqual(
      [key!.name, key!.models, key!.monthlyMicro, key!.expiresAt],
      ['OpenCode', null, 12_500_000, '2030-02-01T05:00:00.000Z'],
      'the day is the reader’s own, and counts whole',
    );
    await button(page, 'I have copied it').click();
    await page.getByText('0 of 12.5 credits').waitFor();
    await page.reload();
    await page.getByText(`…${secret.slice(-4)}`).waitFor();
    assert.ok(!(await page.content()).includes(secret), 'it is shown once');

    await button(page, 'Change OpenCode').click();
    await page.getByLabel('Name').fill('Renamed');
    await page.getByLabel('Credits a month').fill('');
    await button(page, 'Save').click();
    await page.getByText('Nothing spent this month').waitFor();
    const [changed] = await keysOf(member);
    assert.deepEqual([changed!.name, changed!.monthlyMicro, changed!.expiresAt], ['Renamed', null, key!.expiresAt]);

    await button(page, 'Revoke Renamed').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await call(secret), 200);
    await button(page, 'Revoke Renamed').click();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('There is no key yet.').waitFor();
    assert.equal(await call(secret), 401);
    assert.deepEqual(told, []);
    await context.close();
  });

  it('appear and go as they are made and revoked elsewhere, and a refusal keeps what was typed', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'keys');
    await page.getByText('There is no key yet.').waitFor();
    const { key } = (await member.request<NewKeyAnswer>('POST', '/api/keys', { name: 'From the editor' })).body;
    await page.getByText('From the editor').waitFor();
    await member.request('DELETE', `/api/keys/${key.id}`);
    await page.getByText('There is no key yet.').waitFor();
    await button(page, 'Make a key').click();
    await page.getByLabel('Name').fill('One too many');
    await page.route('**/api/keys', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'too_many_keys', title: 'No more API keys', detail: 'Revoke one.' }),
      }),
    );
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('No more API keys. Revoke one.').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'One too many');
    await context.close();
  });
});
