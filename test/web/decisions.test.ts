import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { DECISIONS, type DecisionKind, type OwnDecisions } from '../../shared/decisions.ts';
import { newReviewer, openCase, sign } from '../support/desk.ts';
import type { Member } from '../support/member.ts';
import { inOrder, Scene } from './scene.ts';

const NARROW: BrowserContextOptions = { viewport: { width: 320, height: 700 } };

describe('decisions and appeals, from the desk to the owner’s page and back, in a real browser', function () {
  this.timeout(120_000);
  let scene: Scene;
  /** Two reviewers at the open desk, each in a browser. */
  let [ada, eve]: Page[] = [];

  before(async () => {
    scene = await Scene.start();
    // One after the other: one person at a time signs in at the double.
    [ada, eve] = [await atDesk(), await atDesk({ ...NARROW, colorScheme: 'dark' })];
  });
  after(() => scene?.stop());

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

  async function atDesk(options: BrowserContextOptions = {}): Promise<Page> {
    const { member } = await newReviewer(scene.world);
    const { page } = await scene.window(options);
    await scene.enter(page, member);
    await page.goto(`${scene.server.url}/desk`);
    await button(page, 'Open the desk').click();
    await page.getByRole('heading', { level: 1, name: 'Open', exact: true }).waitFor();
    return page;
  }

  const open = async (page: Page, number: number, list = 'open') => {
    await page.goto(`${scene.server.url}/desk#${list}/${number}`);
    await page.getByRole('heading', { level: 1, name: `Case ${number}` }).waitFor();
  };

  const decisionsOf = async (member: Member) =>
    (await member.request<OwnDecisions>('GET', '/api/account/decisions')).body.decisions;

  /** Decides as a reviewer does: by the key of the decision, a template or own words, and what asks once more. */
  async function decide(page: Page, kind: DecisionKind, why?: string): Promise<void> {
    await page.getByRole('radio').first().waitFor();
    await page.keyboard.press(String(DECISIONS.indexOf(kind) + 1));
    if (why === undefined) await page.locator('.templates button').first().click();
    else await page.getByLabel(/which the owner reads/).fill(why);
    if (kind === 'suspend') await button(page, '30 days').click();
    await page.getByRole('region', { name: 'What the owner will read' }).waitFor();
    await page.locator('form button[type=submit]').click();
    if (kind === 'suspend' || kind === 'close')
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^(Suspend|Close the account)$/ })
        .click();
  }

  const SAID: Record<DecisionKind, [desk: RegExp, owner: RegExp]> = {
    nothing: [/^Decided: nothing/, /^Looked at: all is well/],
    ask: [/^Asked/, /^A question about your account/],
    warn: [/^Warned/, /^A warning/],
    reset: [/^The credits were taken back/, /^Promotional credits taken back/],
    referrals: [/^The link has ended/, /^Your referral link has ended/],
    suspend: [/^Suspended/, /^Suspended until/],
    close: [/^Closed/, /^Account closed/],
  };

  it('takes a decision of each kind, which the owner reads with its reason and rule', async () => {
    const owner = await scene.member();
    const { page, context, told } = await scene.window(NARROW);
    await scene.enter(page, owner, 'decisions');
    await page.getByText('Nobody has asked or decided anything').waitFor();
    await inOrder(page);
    for (const kind of DECISIONS) {
      const of = await scene.member();
      const number = await openCase(scene.server, of.accountId, { lines: [sign('for', 4)] });
      await open(ada!, number);
      await decide(ada!, kind, kind === 'referrals' ? 'Several sign-ups were one person’s.' : undefined);
      await ada!.getByRole('status').getByText(SAID[kind][0]).waitFor();
      const [decision] = await decisionsOf(of);
      assert.deepEqual([decision?.kind, decision?.case], [kind, number]);
      // Kinds are read on one page, though each is another account's: as the API answers.
      const path = '**/api/account/decisions';
      await page.route(path, (route) => route.fulfill({ json: { decisions: [decision] } }));
      await page.reload();
      await page.getByRole('heading', { level: 2, name: SAID[kind][1] }).waitFor();
      await page.getByText(decision!.why).waitFor();
      await page.getByText(decision!.rule).waitFor();
      await inOrder(page);
      await page.unroute(path);
    }
    await inOrder(ada!);
    assert.deepEqual(told, []);
    await context.close();
  });

  it('asks, is answered on the owner’s page, and shows the answer at the desk', async () => {
    const owner = await scene.member();
    const number = await openCase(scene.server, owner.accountId);
    await open(ada!, number);
    await decide(ada!, 'ask', 'Do you alone work with it?');
    await ada!.getByRole('status').getByText('Asked.').waitFor();
    const { page, context } = await scene.window();
    await scene.enter(page, owner);
    await page.getByRole('link', { name: 'Read it under “Decisions”' }).click();
    await page.getByText('Do you alone work with it?', { exact: true }).waitFor();
    await page.getByLabel('Your answer').fill('Yes, on two');
    await page.reload();
    assert.equal(await page.getByLabel('Your answer').inputValue(), 'Yes, on two', 'a reload keeps it');
    await page.getByLabel('Your answer').fill('Yes, on two laptops. <b>Bold</b>');
    await button(page, 'Send the answer').click();
    await page.getByText('Yes, on two laptops. <b>Bold</b>').waitFor();
    await inOrder(page);
    await context.close();
    await ada!.goto(`${scene.server.url}/desk#asked`);
    await ada!.locator(`a[data-number="${number}"]`).getByText('answered', { exact: true }).waitFor();
    await open(ada!, number, 'asked');
    await ada!.getByText('Yes, on two laptops. <b>Bold</b>').waitFor();
    await inOrder(ada!);
  });

  it('tells the second of two reviewers who was first, and keeps their reason', async () => {
    const owner = await scene.member();
    const number = await openCase(scene.server, owner.accountId);
    await open(ada!, number);
    await open(eve!, number);
    await decide(ada!, 'warn', 'I was first.');
    await ada!.getByRole('status').getByText('Warned.').waitFor();
    await decide(eve!, 'nothing', 'My own long reason.');
    await eve!.getByRole('alert').getByText('Somebody else has decided this').waitFor();
    await eve!.getByRole('region', { name: 'Decided so far' }).getByText('I was first.').waitFor();
    assert.equal(await eve!.getByLabel('Your text, which was not sent').inputValue(), 'My own long reason.');
    await inOrder(eve!);
  });

  it('hears an appeal with pictures by another reviewer, and says sorry when it is won', async () => {
    const owner = await scene.member();
    const number = await openCase(scene.server, owner.accountId);
    const { page, context } = await scene.window(NARROW);
    await scene.enter(page, owner);
    await open(ada!, number);
    await decide(ada!, 'suspend');
    await ada!.getByRole('status').getByText('Suspended.').waitFor();
    // At once, on a page that was open.
    await page.getByRole('link', { name: 'Why, and how to appeal' }).click();
    await button(page, 'Appeal').click();
    await page.getByLabel('Which time').fill('All of November');
    await page.getByLabel('How do you use').fill('I work alone <script>window.hit=1</script>');
    const png = (width: number) =>
      sharp({ create: { width, height: 200, channels: 3, background: '#7da4d8' } })
        .png()
        .toBuffer();
    const choose = page.locator('input[type=file]');
    await choose.setInputFiles([
      { name: 'runs.png', mimeType: 'image/png', buffer: await png(300) },
      { name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') },
      { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
    ]);
    const chosen = page.getByRole('list', { name: 'Pictures' });
    const of = (name: string) => chosen.getByRole('listitem').filter({ hasText: name });
    await of('runs.png').getByText('300 × 200').waitFor();
    await of('letter.pdf').getByRole('alert').getByText('Only PNG, JPEG and WebP').waitFor();
    await of('broken.png').getByRole('alert').getByText('This is no picture that can be used').waitFor();
    await inOrder(page);
    await button(page, 'Remove letter.pdf').click();
    await button(page, 'Remove broken.png').click();
    // Dropped, and removed again.
    const bytes = [...(await png(120))];
    const dropped = `(() => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(${JSON.stringify(bytes)})], 'dropped.png', { type: 'image/png' }));
      document.querySelector('.drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    })()`;
    await page.evaluate(dropped);
    await of('dropped.png').getByText('120 × 200').waitFor();
    await button(page, 'Remove dropped.png').click();
    const consent = page.getByLabel('the numbers of this case may help');
    assert.equal(await consent.isChecked(), false, 'nobody consents unasked');
    await consent.check();
    await page.reload();
    await chosen.getByText('300 × 200').waitFor();
    assert.equal(await page.getByLabel('Which time').inputValue(), 'All of November', 'a reload keeps it');
    assert.equal(await consent.isChecked(), true);
    await button(page, 'Send the appeal').click();
    await page.getByText('Another reviewer decides it, not the one who decided first.').waitFor();
    await inOrder(page);

    await open(ada!, number, 'appeals');
    await ada!.getByText('You decided this case, so another reviewer hears the appeal.').waitFor();
    await open(eve!, number, 'appeals');
    await eve!.getByText('I work alone <script>window.hit=1</script>').waitFor();
    await button(eve!, /^Picture 1/).click();
    const large = eve!.getByRole('dialog', { name: 'Picture 1 of 1' }).getByRole('img');
    assert.equal(
      await large.evaluate(
        'document.querySelector("dialog img").decode().then(() => document.querySelector("dialog img").naturalWidth)',
      ),
      300,
    );
    await inOrder(eve!);
    await eve!.keyboard.press('Escape');
    await eve!.getByRole('radio', { name: /^Reverse it/ }).check();
    await button(eve!, 'We were wrong').click();
    await inOrder(eve!);
    await button(eve!, 'Reverse the decision').click();
    await eve!.getByRole('status').getByText('Reversed.').waitFor();
    assert.equal(await eve!.evaluate('window.hit'), undefined);

    await page.getByText('You were right, and we are sorry.').waitFor();
    await button(page, 'Export everything').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Why, and how to appeal' }).waitFor({ state: 'detached' });
    assert.equal((await owner.account()).body.account.suspended, undefined);
    await inOrder(page);
    await context.close();
  });

  it('gives a second look without seeing how the case was decided', async () => {
    let number: number;
    // Every fifth case is judged twice.
    do number = await openCase(scene.server, (await scene.member()).accountId);
    while (number % 5 !== 0);
    await open(ada!, number);
    await decide(ada!, 'warn', 'A blind reason.');
    await ada!.getByRole('status').getByText('Warned.').waitFor();
    await open(eve!, number, 'seconds');
    await eve!.getByRole('heading', { name: 'Second look' }).waitFor();
    assert.equal(await eve!.getByText('A blind reason.').count(), 0);
    await inOrder(eve!);
    await eve!.getByRole('region', { name: 'Second look' }).getByRole('radio', { name: 'Warn' }).check();
    await eve!.getByLabel('Why, for the other reviewers').fill('The same.');
    await button(eve!, 'Keep my judgement').click();
    await eve!.getByText('A blind reason.').waitFor();
  });
});
