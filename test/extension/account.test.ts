import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as vscode from 'vscode';
import { perigee, until, withServer } from './window.ts';

describe('the account', () => {
  let strangers: Server[] = [];
  afterEach(() => {
    for (const server of strangers) {
      server.closeAllConnections();
      server.close();
    }
    strangers = [];
  });

  /** Something that listens but is no Perigee. */
  async function listen(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    strangers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  before(async () => {
    const { session } = await perigee();
    await session.token();
    await until(session.onDidChange, () => session.state.kind === 'ok');
  });

  it('is not handed to another server', async () => {
    const { session, statusBar } = await perigee();
    const seen: (string | undefined)[] = [];
    const url = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
    });
    await withServer(url, async () => {
      await until(session.onDidChange, () => session.state.kind === 'signedOut');
      assert.equal(statusBar.text, '$(sparkle) Perigee: start');
      await assert.rejects(session.token());
      await until(session.onDidChange, () => session.state.kind === 'wrongServer');
      assert.match(statusBar.text, /wrong address/);
      assert.ok(session.state.kind === 'wrongServer' && /no Perigee server/.test(session.state.detail));
    });
    assert.deepEqual(new Set(seen), new Set([undefined]));
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
    let guests = 0;
    const url = await listen((request, response) => {
      if (request.url !== '/api/guest') {
        const problem = {
          type: 'about:blank',
          title: 'Not signed in',
          status: 401,
          detail: 'no',
          code: 'unauthorized',
        };
        response.writeHead(401, { 'content-type': 'application/problem+json' });
        response.end(JSON.stringify({ ...problem, requestId: 'r' }));
        return;
      }
      guests++;
      const account = { id: crypto.randomUUID(), kind: 'guest', createdAt: new Date().toISOString() };
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ token: `token ${guests}`, account }));
    });
    await chat();
    await withServer(url, async () => {
      await until(session.onDidChange, () => session.state.kind === 'signedOut');
      // An open chat may have asked for an account already, and been refused: then there is none to be had here.
      await session.token().catch((error) => assert.match(String(error), /no longer knows this account/));
      await until(session.onDidChange, () => session.state.kind === 'signedOut' && session.state.why === 'expired');
      assert.equal(statusBar.text, '$(sparkle) Perigee: start');
      assert.ok(session.state.kind === 'signedOut' && /what you typed is kept/.test(session.state.detail));
      await session.begin();
      assert.equal(guests, 1, 'no new guest unasked');
      await vscode.commands.executeCommand('perigee.signIn');
      assert.equal(guests, 2);
    });
  });
});
