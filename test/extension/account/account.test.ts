import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { meetStranger } from '../stranger.ts';
import { perigee, until, withServer } from '../window.ts';

describe('the account', () => {
  it('has no session in the Accounts menu as long as it is a guest’s', async () => {
    const { session, account } = await perigee();
    await session.credential();
    await until(session.onDidChange, () => session.state.kind === 'ok');
    assert.deepEqual(await account.getSessions(), []);
    assert.equal(await vscode.authentication.getSession('perigee', ['account'], { silent: true }), undefined);
  });

  before(async () => {
    const { session } = await perigee();
    await session.credential();
    await until(session.onDidChange, () => session.state.kind === 'ok');
  });

  it('is not handed to another server', async () => {
    const { session, statusBar } = await perigee();
    const stranger = await meetStranger({ status: 200, type: 'text/html', body: '<h1>Welcome</h1>' });
    await withServer(stranger.url, async () => {
      await until(session.onDidChange, () => session.state.kind === 'signedOut');
      assert.equal(statusBar.text, '$(sparkle) Perigee: start');
      await assert.rejects(session.credential());
      await until(session.onDidChange, () => session.state.kind === 'wrongServer');
      assert.match(statusBar.text, /wrong address/);
      assert.ok(session.state.kind === 'wrongServer' && /no Perigee server/.test(session.state.detail));
    });
    const requests = await stranger.requests();
    assert.ok(requests.length > 0);
    assert.deepEqual(
      requests.filter(({ authorization }) => authorization !== undefined),
      [],
    );
  });

  it('says that a setting is no address', async () => {
    const { session } = await perigee();
    await withServer('ftp://example.org', async () => {
      await until(session.onDidChange, () => session.state.kind === 'wrongServer');
      assert.ok(session.state.kind === 'wrongServer' && /must start with http/.test(session.state.detail));
    });
  });

  it('is dropped when the server refuses it, keeps what was typed, and begins anew by a click', async () => {
    const { session, statusBar, chat } = await perigee();
    const problem = { type: 'about:blank', title: 'Not signed in', status: 401, detail: 'no', code: 'unauthorized' };
    const account = { id: crypto.randomUUID(), kind: 'guest', createdAt: new Date().toISOString() };
    const guest = { token: 'never taken', account };
    const stranger = await meetStranger(
      { path: '/api/guest', status: 201, type: 'application/json', body: JSON.stringify(guest) },
      { status: 401, type: 'application/problem+json', body: JSON.stringify({ ...problem, requestId: 'r' }) },
    );
    const guests = async () => (await stranger.requests()).filter(({ path }) => path === '/api/guest').length;
    await chat();
    await withServer(stranger.url, async () => {
      await until(session.onDidChange, () => session.state.kind === 'signedOut');
      // An open chat may have asked for an account already, and been refused: then there is none to be had here.
      await session.credential().catch((error) => assert.match(String(error), /no longer knows this account/));
      await until(session.onDidChange, () => session.state.kind === 'signedOut' && session.state.why === 'expired');
      assert.equal(statusBar.text, '$(sparkle) Perigee: start');
      assert.ok(session.state.kind === 'signedOut' && /what you typed is kept/.test(session.state.detail));
      await session.begin();
      assert.equal(await guests(), 1, 'no new guest unasked');
      await vscode.commands.executeCommand('perigee.continueAsGuest');
      assert.equal(await guests(), 2);
    });
  });
});
