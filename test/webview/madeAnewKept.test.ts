import assert from 'node:assert/strict';
import { chatPage } from '../../extension/chat/page.ts';
import { scopeOf } from '../../extension/chat/scope.ts';
import { connectHost } from '../../extension/chat/webview/model/connect.ts';
import { told, Window } from './pageless.ts';
import { answer, CONVERSATION, surroundings, user } from './samples.ts';

describe('chat view: a page that is closed before the host has stored what it was told', () => {
  for (const messages of [[], [user('Before'), answer('Yes')]])
    it(`has it all the same in ${messages.length ? 'a chat' : 'a new chat'}, and tells it again`, () => {
      const view = new Window();
      const chat = (draft: string) => told(messages, { id: messages.length ? CONVERSATION : null, draft } as never);
      view.tell(surroundings(), chat(''));
      view.type('half a thought');
      view.chat.composing.flush();
      assert.equal(view.all('draft').at(-1)?.text, 'half a thought');
      view.load(true);
      view.tell(surroundings(), chat(''));
      assert.equal(view.draft, 'half a thought');
      assert.equal(view.all('draft').at(-1)?.text, 'half a thought');
    });

  it('does not return what was sent since, where what it kept is of some seconds before', () => {
    const view = new Window();
    view.tell(surroundings(), told([], { draft: '' }));
    view.type('Hello');
    view.chat.composing.flush();
    view.load(false);
    view.tell(surroundings(), told([user('Hello'), answer('Hi')], { draft: '' }));
    assert.equal(view.seen, '');
  });
});

describe('chat view: what it keeps for the next page', () => {
  /** The editor's store for the view of a workspace, and the session storage of a window. */
  const stores = new Map<string, string>();
  const windows = new Map<string, Map<string, string>>();
  const names = ['acquireVsCodeApi', 'sessionStorage'] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  after(() => {
    for (const [i, name] of names.entries()) {
      if (before[i]) Object.defineProperty(globalThis, name, before[i]);
      else Reflect.deleteProperty(globalThis, name);
    }
  });
  beforeEach(() => {
    stores.clear();
    windows.clear();
  });

  /** A page in a window. `isStored`: the editor has the time to store what the page keeps. */
  function open(window: string, scope: string, isStored = true) {
    const session = windows.get(window) ?? new Map<string, string>();
    windows.set(window, session);
    const put = (name: string, value: unknown) =>
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    put('acquireVsCodeApi', () => ({
      getState: () => JSON.parse(stores.get(scope) ?? 'null') ?? undefined,
      setState: (state: unknown) => isStored && stores.set(scope, JSON.stringify(state)),
      postMessage() {},
    }));
    put('sessionStorage', {
      getItem: (key: string) => session.get(key) ?? null,
      setItem: (key: string, value: string) => session.set(key, value),
      removeItem: (key: string) => session.delete(key),
    });
    const host = connectHost(scope);
    return {
      keep: (text: string) => host.save({ composer: { text, told: '', isAwaiting: true } }),
      get kept() {
        return host.saved()?.composer?.text;
      },
      get isLatest() {
        return host.saved()?.isLatest === true;
      },
    };
  }

  it('has it to the last key after a reload, stored by the editor or not', () => {
    for (const isStored of [true, false]) {
      open('one', `workspace ${isStored}`, isStored).keep('half a thought');
      const page = open('one', `workspace ${isStored}`, isStored);
      assert.deepEqual([page.kept, page.isLatest], ['half a thought', true]);
    }
  });

  for (const isStored of [true, false])
    it(`shows none of it in another workspace that is opened in the same window (${isStored ? 'stored' : 'not stored'} by the editor)`, () => {
      open('one', 'workspace 1', isStored).keep('a secret of the first');
      assert.equal(open('one', 'workspace 2').kept, undefined, 'where the view was never opened');
      open('one', 'workspace 2').keep('of the second');
      assert.equal(open('one', 'workspace 1').kept, 'a secret of the first');
      assert.equal(open('one', 'workspace 2').kept, 'of the second');
    });

  it('takes nothing that was kept before pages had a workspace’s name', () => {
    open('one', 'workspace 1').keep('a secret');
    const session = windows.get('one')!;
    for (const value of [...session.values()]) session.set('perigee chat', value);
    assert.equal(open('one', 'workspace 2').kept, undefined);
  });

  it('takes what another window has kept since for the later one', async () => {
    open('one', 'workspace 1').keep('first');
    const now = Date.now;
    try {
      Date.now = () => now() + 1000;
      open('two', 'workspace 1').keep('second');
    } finally {
      Date.now = now;
    }
    const page = open('one', 'workspace 1');
    assert.deepEqual([page.kept, page.isLatest], ['second', false]);
  });

  const uri = (path: string) => ({ toString: () => `file:///home/me/.editor/User/${path}` });
  const globalStorageUri = uri('globalStorage/perigee');
  const folder = (id: string) => ({ storageUri: uri(`workspaceStorage/${id}/perigee`), globalStorageUri });

  it('names a workspace the same as long as it is the same', () => {
    const scopes = [
      scopeOf(folder('1f00'), true),
      scopeOf(folder('2f00'), true),
      // A workspace file without a folder: the memory is the editor's.
      scopeOf(folder('1f00'), false),
      scopeOf({ storageUri: undefined, globalStorageUri }, false),
      scopeOf({ storageUri: undefined, globalStorageUri: uri('profiles/work/globalStorage/perigee') }, false),
    ];
    assert.equal(new Set(scopes).size, scopes.length);
    // Where another process still holds the folder, as after a quick reload, the editor appends a number.
    for (const n of [1, 2, 10]) assert.equal(scopeOf(folder(`1f00-${n}`), true), scopes[0]);
  });

  it('is named in the page, whatever is in its address', () => {
    const parts = { scriptUri: 's', mathUri: 'm', styleUri: 'c', cspSource: 'self', nonce: 'n' };
    for (const scope of ['workspace file:///a', '"><script>alert(1)</script>', 'ä & b'])
      assert.equal(/ data-scope="([^"<>&]*)"/.exec(chatPage({ ...parts, scope }))?.[1], encodeURIComponent(scope));
  });
});
