import assert from 'node:assert/strict';
import type { UseAnswer } from '../../shared/risk.ts';
import { Scene, violations } from './scene.ts';

describe('what a member declares on the page, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene?.stop());

  it('is kept at once, taken back as easily, and names the keys that programs use', async () => {
    const member = await scene.member();
    const made = await member.request('POST', '/api/keys', { name: 'Nightly' } as never);
    assert.equal(made.status, 201);
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'data');
    const gateway = page.getByLabel('I have a gateway or proxy of my own');
    const nightly = page.getByLabel('Programs use the key “Nightly” by themselves');
    await gateway.waitFor();
    assert.equal(await gateway.isChecked(), false);
    const declared = async () => (await member.request<UseAnswer>('GET', '/api/account/use')).body;
    const kept = (click: () => Promise<void>) =>
      Promise.all([page.waitForResponse((answer) => answer.request().method() === 'PUT' && answer.ok()), click()]);
    await kept(() => gateway.click());
    await kept(() => nightly.click());
    const { ownGateway, automationKeys } = await declared();
    assert.deepEqual([ownGateway, automationKeys.length], [true, 1]);
    assert.deepEqual(await violations(page), []);
    await page.reload();
    await gateway.waitFor();
    assert.equal(await gateway.isChecked(), true);
    await kept(() => gateway.click());
    assert.equal((await declared()).ownGateway, false);
    await context.close();
  });

  it('goes back to what it was where it could not be kept, and says so', async () => {
    const member = await scene.member();
    const { page, context } = await scene.window();
    await scene.enter(page, member, 'data');
    const machines = page.getByLabel('I work on several machines');
    await machines.waitFor();
    await page.route('**/api/account/use', (route) =>
      route.request().method() === 'PUT' ? route.abort() : route.continue(),
    );
    await machines.click();
    await page.getByRole('alert').waitFor();
    assert.equal(await machines.isChecked(), false);
    await context.close();
  });
});
