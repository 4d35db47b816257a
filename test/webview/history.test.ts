import assert from 'node:assert/strict';
import {
  ago,
  answer,
  CONVERSATION,
  conversation,
  DAY,
  HOUR,
  historyPage,
  MINUTE,
  row,
  surroundings,
  user,
} from './samples.ts';
import { eachView } from './shared.ts';
import type { View } from './view.ts';

describe('chat view: history', () => {
  let view: View;
  let rows: ReturnType<typeof makeRows>;
  /** Made for each test: on a slow machine more than a minute may go by between two. */
  const makeRows = () => [
    row('Migration', ago(0), { running: { runId: crypto.randomUUID(), device: 'desktop' } }),
    row('Open now', ago(1), { id: CONVERSATION }),
    row('Yesterday', ago(DAY)),
    row('Some days ago', ago(4 * DAY)),
    row('Long ago', ago(50 * DAY)),
  ];
  const press = (key: string) => view.page.keyboard.press(key);
  const focused = () =>
    view.page.evaluate(`document.activeElement.getAttribute('aria-label') ?? document.activeElement.title`);
  const panel = () => view.page.getByRole('dialog', { name: 'History' });
  const opener = () => view.page.getByRole('button', { name: 'History' });

  eachView(
    (opened) => {
      view = opened;
    },
    () => [surroundings(), conversation([user('Hi'), answer('Hello')])],
  );
  beforeEach(async () => {
    rows = makeRows();
    await opener().click();
    await view.until('history');
  });

  it('groups by day, marks what runs and where, and says the times', async () => {
    await view.tell(historyPage(rows));
    assert.deepEqual(await panel().getByRole('heading').allInnerTexts(), [
      'Today',
      'Yesterday',
      'Last 7 days',
      'Older',
    ]);
    assert.match(await panel().innerText(), /Migration\s+running · desktop/);
    assert.match(await panel().innerText(), /Open now\s+just now/);
    assert.equal(await panel().locator('[aria-current=true]').getAttribute('title'), 'Open now');
    assert.match((await panel().locator('time').first().getAttribute('title'))!, /\(UTC\+[12]\)$/);
  });

  it('shows pinned ones first, and pins and unpins by key, by a button and from the title bar', async () => {
    const [running, open, ...others] = rows;
    const pinned = { ...others[2]!, pinned: true as const };
    await view.tell(historyPage([pinned, running!, open!]));
    assert.deepEqual(await panel().getByRole('heading').allInnerTexts(), ['Pinned', 'Today']);
    await press('ArrowDown');
    await press('p');
    await panel().getByRole('button', { name: 'Pin Open now' }).click();
    const said = async () => (await view.said()).flatMap((m) => (m.type === 'pin' ? [[m.id, m.pinned]] : []));
    assert.deepEqual(await said(), [
      [pinned.id, false],
      [CONVERSATION, true],
    ]);
    // What was pinned beyond the page, and is not any more, goes back to its place.
    await view.tell(historyPage([running!, open!], { before: 'more' }));
    assert.deepEqual(await panel().getByRole('heading').allInnerTexts(), ['Today', 'Older']);
    await view.page.keyboard.press('Escape');
    for (const [isPinned, label] of [
      [undefined, 'Pin'],
      [true, 'Unpin'],
    ] as const) {
      await view.tell(surroundings({ pinned: isPinned }));
      await view.page.getByRole('button', { name: 'More' }).click();
      await view.page.getByRole('menuitem', { name: label, exact: true }).click();
      assert.deepEqual((await said()).at(-1), [CONVERSATION, isPinned === undefined]);
    }
  });

  it('says how long ago a chat was as the time goes on', async () => {
    await press('Escape');
    await view.page.clock.install();
    await opener().click();
    await view.until('history', 2);
    await view.tell(historyPage(rows));
    assert.match(await panel().innerText(), /Open now\s+just now/);
    await view.page.clock.fastForward(3 * MINUTE);
    await panel().getByText('3 min ago').waitFor({ timeout: 10_000 });
  });

  it('is used by keys alone: down into the list, along a row, Enter opens, Escape returns the focus', async () => {
    await view.tell(historyPage(rows));
    assert.equal(await focused(), 'Search conversations');
    await press('ArrowDown');
    assert.equal(await focused(), 'Migration');
    await press('ArrowUp');
    assert.equal(await focused(), 'Search conversations');
    await press('ArrowDown');
    await press('ArrowDown');
    await press('ArrowDown');
    await press('ArrowRight');
    assert.equal(await focused(), 'Rename Yesterday');
    await press('ArrowLeft');
    await press('Enter');
    assert.deepEqual(await view.until('openConversation'), { type: 'openConversation', id: rows[2]!.id });
    assert.equal(await panel().count(), 0);
    await opener().press('Enter');
    await press('Escape');
    assert.equal(await panel().count(), 0);
    assert.equal(await focused(), 'History');
  });

  it('searches a moment after typing, and ignores what was found for earlier words', async () => {
    await view.page.keyboard.type('retry');
    assert.deepEqual(await view.until('history', 2), { type: 'history', search: 'retry', kind: 'chat', before: null });
    assert.equal((await view.said()).filter((m) => m.type === 'history').length, 2);
    await view.tell(historyPage(rows));
    assert.equal(await panel().getByRole('listitem').count(), 0);
    await view.tell(historyPage([], { search: 'retry' }));
    assert.match(await panel().innerText(), /No chat matches “retry”\./);
    await panel().getByRole('button', { name: 'Search all' }).click();
    assert.deepEqual(await view.until('history', 3), { type: 'history', search: 'retry', kind: null, before: null });
    await view.tell(historyPage([], { search: 'retry', kind: null }));
    assert.match(await panel().innerText(), /No conversation matches “retry”\./);
  });

  it('lists chats, and edits when one asks for them', async () => {
    assert.equal((await view.until('history')).kind, 'chat');
    await view.tell(historyPage(rows));
    await panel().getByRole('button', { name: 'Edits', exact: true }).press('Enter');
    assert.deepEqual(await view.until('history', 2), { type: 'history', search: '', kind: 'edit', before: null });
    assert.equal(await panel().getByRole('listitem').count(), 0, 'no chat stands under “Edits”');
    await view.tell(historyPage(rows));
    assert.equal(await panel().getByRole('listitem').count(), 0, 'a page of chats comes too late');
    await view.tell(historyPage([row('Rename x · a.ts', ago(0), { kind: 'edit' })], { kind: 'edit' }));
    assert.deepEqual(await panel().locator('.title').allInnerTexts(), ['Rename x · a.ts']);
    assert.equal((await view.said()).filter(({ type }) => type === 'openConversation').length, 0);
  });

  it('shows the passage that was found, with the words marked, as text and nothing else', async () => {
    await view.page.keyboard.type('retry');
    await view.until('history', 2);
    const passage = { before: '…so <b>never</b> ', match: 'Retry', after: ' after a `4xx`, says <img src=x>.' };
    const found = [row('Backoff', ago(0), { passage }), row('When to retry', ago(1))];
    await view.tell(historyPage(found, { search: 'retry' }));
    assert.equal(
      await panel().locator('.passage').innerText(),
      '…so <b>never</b> Retry after a `4xx`, says <img src=x>.',
    );
    assert.deepEqual(await panel().locator('mark').allInnerTexts(), ['Retry', 'retry']);
    assert.equal(await panel().locator('.passage :not(mark)').count(), 0);
  });

  it('has room for titles where the view is narrow', async () => {
    await view.tell(historyPage([row('How does the backoff of the client work', ago(4 * DAY))]));
    await view.page.setViewportSize({ width: 260, height: 600 });
    const title = (await panel().locator('.title').boundingBox())!;
    const when = (await panel().locator('.when').boundingBox())!;
    assert.ok(title.width > 180, `${title.width}`);
    assert.ok(when.y >= title.y + title.height - 1, 'the time is under it');
    assert.deepEqual(await view.page.evaluate('fake.overflow()'), []);
  });

  it('has no end but the last page', async () => {
    const page = (n: number) =>
      Array.from({ length: 30 }, (_, i) => row(`Number ${n * 30 + i}`, ago(60 * DAY + n * DAY + i * MINUTE)));
    await view.tell(historyPage(page(0), { before: 'page-1' }));
    assert.equal((await view.said()).filter((m) => m.type === 'history').length, 1);
    await panel().getByText('Number 29').scrollIntoViewIfNeeded();
    assert.deepEqual(await view.until('history', 2), { type: 'history', search: '', kind: 'chat', before: 'page-1' });
    await view.tell(historyPage(page(1), { before: null, first: false }));
    await panel().getByText('Number 59').scrollIntoViewIfNeeded();
    await view.tell();
    assert.equal((await view.said()).filter((m) => m.type === 'history').length, 2);
    await view.tell(historyPage([row('Brand new', ago(0)), ...page(0).slice(0, 29)], { before: 'page-1' }));
    assert.ok((await panel().getByRole('listitem').count()) >= 60, 'a new first page leaves the others there');
  });

  it('renames in place', async () => {
    await view.tell(historyPage(rows));
    await press('ArrowDown');
    await press('F2');
    await view.page.keyboard.type('Better name');
    await press('Enter');
    assert.deepEqual(await view.until('rename'), { type: 'rename', id: rows[0]!.id, title: 'Better name' });
    assert.match(await panel().innerText(), /Better name/);
    await panel().getByTitle('Better name', { exact: true }).waitFor();
    await press('F2');
    await view.page.keyboard.type('Not this');
    await press('Escape');
    assert.equal((await view.said()).filter((m) => m.type === 'rename').length, 1);
    assert.equal(await panel().count(), 1);
  });

  it('deletes after a second step, and only then', async () => {
    await view.tell(historyPage(rows));
    await press('ArrowDown');
    await press('Delete');
    assert.equal(await panel().getByRole('alertdialog', { name: 'Delete?' }).count(), 1);
    await press('Enter'); // The focus is on Cancel.
    assert.equal((await view.said()).filter((m) => m.type === 'delete').length, 0);
    await panel().getByRole('listitem').nth(2).hover();
    await panel().getByRole('button', { name: 'Delete Yesterday' }).click();
    await panel().getByRole('button', { name: 'Yes' }).click();
    assert.deepEqual(await view.until('delete'), { type: 'delete', id: rows[2]!.id });
    await view.tell(historyPage(rows.filter((r) => r !== rows[2])));
    assert.equal(await panel().getByRole('listitem').count(), 4);
    assert.equal(await panel().count(), 1);
  });

  it('exports', async () => {
    await view.tell(historyPage(rows));
    await panel().getByRole('listitem').nth(3).hover();
    await panel().getByRole('button', { name: 'Export Some days ago as Markdown' }).click();
    assert.deepEqual(await view.until('export'), { type: 'export', id: rows[3]!.id });
  });

  it('says when it could not be read, and tries again', async () => {
    await view.tell({ type: 'historyFailed', search: '', kind: 'chat', text: 'The server cannot be reached.' });
    assert.match(await panel().innerText(), /The server cannot be reached\./);
    await panel().getByRole('button', { name: 'Retry' }).click();
    assert.deepEqual(await view.until('history', 2), { type: 'history', search: '', kind: 'chat', before: null });
  });

  it('closes when one clicks beside it, and by its own button', async () => {
    await view.tell(historyPage(rows.map((r) => ({ ...r, updatedAt: ago(HOUR * 30) }))));
    await view.composer.click();
    assert.equal(await panel().count(), 0);
    await opener().click();
    assert.equal(await panel().count(), 1);
    await opener().click();
    assert.equal(await panel().count(), 0);
  });

  it('is no way to lose the title: it is renamed, exported and deleted from the title bar as well', async () => {
    await press('Escape');
    const more = view.page.getByRole('button', { name: 'More' });
    await more.click();
    await view.page.getByRole('menuitem', { name: 'Rename' }).click();
    await view.page.getByRole('textbox', { name: 'Title' }).fill('Backoff');
    await press('Enter');
    assert.deepEqual(await view.until('rename'), { type: 'rename', id: CONVERSATION, title: 'Backoff' });
    assert.equal(await view.page.getByRole('heading', { level: 1 }).innerText(), 'Backoff');
    await more.click();
    await view.page.getByRole('menuitem', { name: 'Delete' }).click();
    await view.page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await view.said()).filter((m) => m.type === 'delete').length, 0);
  });
});
