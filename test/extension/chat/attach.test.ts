import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Finder } from '../../../extension/chat/context/foundContext.ts';
import { Mentions } from '../../../extension/chat/context/mentions.ts';
import { offerSources } from '../../../extension/chat/context/offers.ts';
import { Terminals } from '../../../extension/chat/context/terminals.ts';
import type { Chip, Mention, ToHost } from '../../../extension/chat/protocol.ts';
import { gitDiff, openGit, type Repository, readCommit, recentCommits } from '../../../extension/platform/git.ts';
import type { AttachmentInput } from '../../../shared/runs.ts';
import { itBesideNode, noGit, perigee, sampleFile, until } from '../window.ts';
import { Scene } from './chatScene.ts';

const { fs } = vscode.workspace;
const id = () => crypto.randomUUID();
const write = (path: string, text: string) => fs.writeFile(sampleFile(path), new TextEncoder().encode(text));
const read = async (path: string) => new TextDecoder().decode(await fs.readFile(sampleFile(path)));

/** What a sent attachment is, without its text. */
const told = (input: AttachmentInput) => {
  if ('id' in input) return input.id;
  if ('data' in input) return `image ${input.path}`;
  const { kind, path, range } = input;
  return `${kind} ${path ?? ''}${range ? ` ${range.start + 1}-${range.end + 1}` : ''}`.trim();
};
const textOf = (input: AttachmentInput | undefined) => (input && 'text' in input ? input.text : undefined);

describe('what else can be attached', () => {
  let scene: Scene;
  before(async () => {
    await perigee();
  });
  beforeEach(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    scene = new Scene();
  });
  afterEach(async () => {
    scene.controller.dispose();
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    await fs.delete(sampleFile('more'), { recursive: true }).then(undefined, () => {});
  });

  const ready = () => scene.say({ type: 'ready' });
  const chips = (count: number) => scene.surroundings((value) => value.chips.length === count).then((s) => s.chips);

  async function mentions(query: string): Promise<Mention[]> {
    const requestId = id();
    scene.say({ type: 'mentions', requestId, query });
    for (;;) {
      const answer = scene.last('mentions');
      if (answer?.requestId === requestId) return answer.items;
      await new Promise((done) => setTimeout(done));
    }
  }
  /** What `@query` offers that fits. It is asked again: a language server or git may still be starting. */
  async function offered(query: string, fits: (item: Mention) => boolean): Promise<Mention> {
    for (;;) {
      const item = (await mentions(query)).find(fits);
      if (item) return item;
    }
  }
  async function choose(query: string, label: string): Promise<void> {
    const { id } = await offered(query, (item) => item.label === label);
    scene.say({ type: 'attachMention', id });
  }
  /** Sends a text as the page would. Resolves to what was attached; undefined if it was not sent. */
  async function send(text: string): Promise<AttachmentInput[] | undefined> {
    const [sent, before] = [scene.requests.length, scene.told.length];
    scene.say({ type: 'send', requestId: id(), text, chatId: scene.chatId } as ToHost);
    while (!scene.told.slice(before).some(({ type }) => type === 'sent' || type === 'notSent'))
      await new Promise((done) => setTimeout(done));
    const request = scene.requests[sent];
    return request?.kind === 'chat' ? (request.input.attachments ?? []) : undefined;
  }

  describe('the workspace', () => {
    it('brings the pieces that fit the question, with path, lines and the text that stands there', async () => {
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      const [chip] = await chips(1);
      assert.deepEqual([chip?.label, chip?.kind, chip?.tokens], ['The workspace', 'found', 8_000]);
      await scene.surroundings((value) => value.chips[0]?.note === 'what fits your question');
      const sent = (await send('How is the total of an order with a discount computed in Python?'))!;
      const [first] = sent;
      assert.ok(sent.length <= 8 && first && 'text' in first && first.kind === 'found' && first.range);
      assert.deepEqual([first.path, first.languageId], ['src/totals.py', 'python']);
      const lines = (await read('src/totals.py')).split('\n');
      assert.equal(first.text, lines.slice(first.range.start, first.range.end + 1).join('\n'));
      assert.equal((await chips(0)).length, 0, 'it was for this question');
    });

    it('reaches the model word for word', async () => {
      const { chat, index, session } = await perigee();
      await session.credential();
      await until(session.onDidChange, () => session.state.kind === 'ok');
      const text = 'How is the total of an order with a discount computed in Python?';
      const controller = await chat();
      const own = controller as unknown as { handle(message: ToHost): Promise<void> };
      await own.handle({ type: 'newChat' });
      await own.handle({ type: 'attach', kind: 'found' });
      await own.handle({ type: 'send', requestId: id(), text });
      await until(controller.open.onDidChange, () => controller.open.messages.at(-1)?.state === 'complete');
      const { bill } = (await (await fetch(`${process.env.PERIGEE_UPSTREAM}/control/bill`)).json()) as {
        bill: { body: { messages: { content: string }[] } }[];
      };
      const parts = bill
        .at(-1)!
        .body.messages.at(-1)!
        .content.split(/\n\n(?=Attached found: )/);
      const pieces = await (await index()).find(text, 8);
      assert.equal(parts[0], text);
      assert.deepEqual(
        parts.slice(1).map((part) => part.split('\n', 1)[0]),
        pieces.map(({ path, from, to }) => `Attached found: ${path} lines ${from}-${to}`),
      );
      assert.ok(parts[1]?.includes(`\`\`\`python\n${pieces[0]!.text}`), parts[1]);
    });

    it('reads a file anew that has changed since it was indexed', async () => {
      await write('more/zebra.ts', 'export const zebraStripes = 1;\n');
      ready();
      await choose('work', 'workspace');
      await chips(1);
      const index = await (await perigee()).index();
      // Asked again until the watcher has told of the new file.
      for (let isThere = false; !isThere; )
        isThere = (await index.find('zebra stripes', 1)).some(({ path }) => path === 'more/zebra.ts');
      await write('more/zebra.ts', '// Moved down.\n\n\nexport const zebraStripes = 22;\n');
      const [first] = (await send('Where are the zebra stripes?'))!;
      assert.match(textOf(first) ?? '', /zebraStripes = 22;/);
    });

    it('leaves out what is attached whole', async () => {
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      await chips(1);
      await choose('totals', 'totals.py');
      await chips(2);
      const sent = (await send('How is the total with a discount computed in Python?'))!.map(told);
      assert.equal(sent[0], 'file src/totals.py');
      assert.ok(!sent.slice(1).some((one) => one.includes('totals.py')), String(sent));
    });

    it('keeps a question that nothing fits, says so, and sends it without', async () => {
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      const [chip] = await chips(1);
      assert.equal(await send('Xylophonic quuxification?'), undefined);
      const { problem, chipId } = scene.last('notSent')!;
      assert.match(problem.detail, /^No piece of the workspace fits your question\. .* Nothing was sent\.$/);
      assert.equal(chipId, chip?.id);
      scene.say({ type: 'detach', id: chip!.id });
      assert.deepEqual(await send('Xylophonic quuxification?'), []);
    });

    it('goes along with a question that is sent as soon as it was chosen', async () => {
      let open: (finder: Finder) => void = () => {};
      const opened = new Promise<Finder>((done) => {
        open = done;
      });
      scene.index = () => opened;
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      const sent = send('Anything');
      const piece = { path: 'a.ts', uri: sampleFile('a.ts'), from: 1, to: 1, text: 'a' };
      open({
        ...{ whyNot: () => undefined, isBuilding: false, onProgress: () => ({ dispose: () => {} }) },
        ...{ prepare: async () => {}, find: async () => [piece] },
      });
      assert.deepEqual((await sent)?.map(told), ['found a.ts 1-1']);
    });

    it('is refused in words where the index is off, also if it was on when it was attached', async () => {
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      await chips(1);
      const settings = vscode.workspace.getConfiguration('perigee.index');
      await settings.update('enabled', false, vscode.ConfigurationTarget.Global);
      try {
        assert.equal(await send('How is the total computed?'), undefined);
        const off = /perigee\.index\.enabled is off, so Perigee keeps no index here\./;
        assert.match(scene.last('notSent')!.problem.detail, off);
        scene.say({ type: 'attach', kind: 'found' });
        await scene.until('notice');
        assert.match(scene.last('notice')!.text, off);
      } finally {
        await settings.update('enabled', undefined, vscode.ConfigurationTarget.Global);
      }
    });

    it('tells how far the index is, and keeps to its bounds', async () => {
      let progress: (files: number) => void = () => {};
      const line = `${'x'.repeat(99)}\n`;
      const piece = (name: string, lines: number) => {
        const uri = sampleFile(name);
        return { path: name, uri, from: 3, to: 3 + lines, score: 1, text: line.repeat(lines) };
      };
      const pieces = [piece('large.ts', 400), piece('small.ts', 1)];
      const finder: Finder = {
        whyNot: () => undefined,
        isBuilding: true,
        onProgress: (listener) => {
          progress = listener;
          return { dispose: () => {} };
        },
        prepare: () => new Promise(() => {}),
        find: async () => pieces,
      };
      scene.index = async () => finder;
      ready();
      scene.say({ type: 'attach', kind: 'found' });
      await chips(1);
      progress(1240);
      await scene.surroundings((value) => value.chips[0]?.note === 'reading files, 1,240 so far');
      const sent = (await send('Anything'))!;
      assert.deepEqual(sent.map(told), ['found large.ts 3-322']);
      assert.ok(textOf(sent[0])!.length <= 32_000);
      await scene.until('notice');
      assert.match(scene.last('notice')!.text, /still being built, so pieces may be missing/);
    });
  });

  it('a folder: the list of its files, and the texts that fit; what is left out is said', async () => {
    await write('more/net/client.ts', 'export const client = 1;\n');
    await write('more/net/deep/retry.ts', 'export const retry = 2;\n');
    await write('more/net/.env', 'TOKEN=1\n');
    await write('more/net/.gitignore', 'made.ts\n');
    await write('more/net/made.ts', 'made\n');
    await write('more/net/big.txt', 'x'.repeat(100_001));
    await fs.writeFile(sampleFile('more/net/logo.png'), Uint8Array.of(137, 80, 0, 0));
    ready();
    await choose('net', 'net/');
    const [chip] = await chips(1);
    assert.deepEqual([chip?.label, chip?.path, chip?.note], ['net/', 'more/net', '3 of 7 files']);
    // As it is when it is sent.
    await write('more/net/client.ts', 'export const client = 3;\n');
    const sent = (await send('What is here?'))!;
    assert.deepEqual(sent.map(told), [
      'folder more/net',
      'file more/net/.gitignore',
      'file more/net/client.ts',
      'file more/net/deep/retry.ts',
    ]);
    assert.equal(
      textOf(sent[0]),
      [
        'more/net/.gitignore',
        'more/net/big.txt (by name only)',
        'more/net/client.ts',
        'more/net/deep/retry.ts',
        'more/net/logo.png (by name only)',
        '',
        'Left out: 2 files by name only (binary, or beyond the bounds); 1 file that may hold secrets; ' +
          '1 file that is ignored, excluded or behind a link.',
      ].join('\n'),
    );
    assert.equal(textOf(sent[2]), 'export const client = 3;\n');
    assert.match(chip?.leftOut ?? '', /^Left out: 2 files by name only/);
  });

  it('a folder of which nothing may go along is refused in words', async () => {
    await write('more/.gitignore', 'hidden/\n');
    await write('more/hidden/a.ts', 'a\n');
    ready();
    await choose('hidden', 'hidden/');
    await scene.until('notice');
    assert.match(
      scene.last('notice')!.text,
      /^Nothing of more\/hidden can go along\. Left out: 1 folder that is ignored/,
    );
  });

  it('a folder whose build output is ignored, however much that is', async () => {
    await write('more/app/.gitignore', 'out/\n');
    await write('more/app/src/deep/main\u2028.ts', 'main\n');
    await Promise.all(Array.from({ length: 301 }, (_, n) => write(`more/app/out/${n}.js`, 'made\n')));
    ready();
    await choose('app', 'app/');
    const [chip] = await chips(1);
    assert.equal(chip?.note, '2 files');
    const [list, ...texts] = (await send('What is here?'))!;
    assert.deepEqual(texts.map(told), ['file more/app/.gitignore', 'file more/app/src/deep/main\u2028.ts']);
    assert.deepEqual(textOf(list)?.split('\n'), [
      'more/app/.gitignore',
      'more/app/src/deep/main .ts',
      '',
      'Left out: 1 folder that is ignored, excluded or behind a link.',
    ]);
  });

  it('a folder by its name, where not all files are listed', async () => {
    await write('more/quokkas/deep/a.ts', 'a\n');
    const terminals = new Terminals();
    try {
      const found = new Mentions(offerSources(terminals), 1);
      for (let isThere = false; !isThere; )
        isThere = (await found.find('quokka', [])).some(({ label }) => label === 'quokkas/');
    } finally {
      terminals.dispose();
    }
  });

  it('a symbol whose language server does not answer: the line that is known', async () => {
    const at = new vscode.Location(sampleFile('src/totals.py'), new vscode.Range(0, 0, 0, 5));
    const found = new vscode.SymbolInformation('xylophone', vscode.SymbolKind.Function, '', at);
    const providers = [
      vscode.languages.registerWorkspaceSymbolProvider({ provideWorkspaceSymbols: () => [found] }),
      vscode.languages.registerDocumentSymbolProvider(
        { pattern: '**/totals.py' },
        { provideDocumentSymbols: () => new Promise<undefined>(() => {}) },
      ),
    ];
    try {
      ready();
      const { id } = await offered('#xylo', ({ label }) => label === 'xylophone');
      scene.say({ type: 'attachMention', id });
      assert.deepEqual((await send('What is it?'))?.map(told), ['symbol src/totals.py 1-1']);
    } finally {
      for (const provider of providers) provider.dispose();
    }
  });

  it('a symbol, by its name: the lines that define it', async () => {
    // No language server of the editor's own knows Python, and answers late.
    const uri = sampleFile('src/totals.py');
    const providers = [
      vscode.languages.registerWorkspaceSymbolProvider({
        provideWorkspaceSymbols: (query) => {
          const at = new vscode.Location(uri, new vscode.Range(3, 4, 3, 14));
          const outside = new vscode.Location(vscode.Uri.file('/usr/lib/lib.d.ts'), new vscode.Range(0, 0, 0, 1));
          const kind = vscode.SymbolKind.Function;
          return ['line_total()', 'line_elsewhere']
            .filter((name) => name.toLowerCase().includes(query.toLowerCase()))
            .map((name) => new vscode.SymbolInformation(name, kind, '', name === 'line_total()' ? at : outside));
        },
      }),
      vscode.languages.registerDocumentSymbolProvider(
        { pattern: '**/totals.py' },
        {
          provideDocumentSymbols: (document) => {
            const start = document
              .getText()
              .split('\n')
              .findIndex((line) => line.includes('def line_total'));
            const whole = new vscode.Range(start, 0, start + 1, 40);
            const name = new vscode.Range(start, 4, start, 14);
            return [new vscode.DocumentSymbol('line_total', '', vscode.SymbolKind.Function, whole, name)];
          },
        },
      ),
    ];
    try {
      ready();
      const { detail } = await offered('#line_t', ({ label }) => label === 'line_total');
      assert.equal(detail, 'src/totals.py:4');
      const labels = (await mentions('#line_else')).map(({ label }) => label);
      assert.deepEqual(labels, [], 'of a library');
      await choose('line_t', 'line_total');
      await chips(1);
      const [sent] = (await send('Is that right?'))!;
      const lines = (await read('src/totals.py')).split('\n');
      const start = lines.findIndex((line) => line.includes('def line_total'));
      assert.equal(told(sent!), `symbol src/totals.py ${start + 1}-${start + 2}`);
      assert.equal(textOf(sent), lines.slice(start, start + 2).join('\n'));
    } finally {
      for (const provider of providers) provider.dispose();
    }
  });

  itBesideNode('a commit: its message and diff, without files that hold secrets', noGit, async () => {
    type Real = Repository & {
      add(paths: string[]): Promise<void>;
      commit(message: string): Promise<void>;
      createBranch(name: string, checkout: boolean): Promise<void>;
      deleteBranch(name: string, force: boolean): Promise<void>;
      checkout(treeish: string): Promise<void>;
      setConfig(key: string, value: string): Promise<string>;
    };
    const git = (await openGit()) as { openRepository(root: vscode.Uri): Promise<Real | null> } | undefined;
    const repository = (await git?.openRepository(sampleFile('')))!;
    await repository.setConfig('user.name', 'Sample');
    await repository.setConfig('user.email', 'sample@localhost');
    await repository.createBranch('attached', true);
    try {
      await write('more/first.ts', 'export const first = 1;\n');
      await write('more/.env', 'TOKEN=verysecret\n');
      await repository.add([sampleFile('more/first.ts').fsPath, sampleFile('more/.env').fsPath]);
      await repository.commit('Count from one\n\nNobody counts from zero.');
      ready();
      const { label, id } = await offered('count', ({ detail }) => detail?.startsWith('commit') === true);
      assert.match(label, /^[0-9a-f]{7} Count from one$/);
      scene.say({ type: 'attachMention', id });
      await chips(1);
      const [sent] = (await send('Why this?'))!;
      assert.equal(told(sent!), `commit ${label}`);
      assert.match(
        textOf(sent) ?? '',
        /^commit [0-9a-f]{40}\nAuthor: Sample\nDate: .*\n\nCount from one\n\nNobody counts/,
      );
      assert.match(textOf(sent) ?? '', /\n\+export const first = 1;/);
      assert.doesNotMatch(textOf(sent) ?? '', /verysecret/);

      // A file that held secrets under another name; a name that is also a pattern; a file beyond the bounds.
      await fs.rename(sampleFile('more/.env'), sampleFile('more/settings.txt'));
      await write('more/[f]irst.ts', 'export const other = 1;\n');
      await write('more/big.txt', 'x'.repeat(100_001));
      await repository.add(['more/.env', 'more/settings.txt'].map((path) => sampleFile(path).fsPath));
      await write('more/first.ts', 'export const first = 2;\n');
      scene.say({ type: 'attach', kind: 'diff' });
      await chips(1);
      const uncommitted = textOf((await send('And now?'))![0]) ?? '';
      assert.match(uncommitted, /first = 2;/);
      assert.match(uncommitted, /settings\.txt\n# Left out: this file may hold secrets\.\n/);
      assert.doesNotMatch(uncommitted, /verysecret/);
      await repository.add([sampleFile('more').fsPath]);
      await repository.commit('Rename the settings');
      const { hash } = await repository.getCommit('HEAD');
      const renamed = await readCommit(sampleFile('more'), hash, new AbortController().signal);
      assert.ok('text' in renamed);
      assert.doesNotMatch(renamed.text, /verysecret/);
      assert.match(renamed.text, /settings\.txt\n# Left out: this file may hold secrets\.\n/);
      assert.match(renamed.text, /\n\nChanged as well, not shown:\nmore\/\[f\]irst\.ts\nmore\/big\.txt$/);

      const first = await offered('commit', (one) => one.label.endsWith('orders: first version'));
      scene.say({ type: 'attachMention', id: first.id });
      await chips(1);
      assert.match(textOf((await send('And this?'))![0]) ?? '', /it is the first commit, or/);
    } finally {
      await repository.checkout('main');
      await repository.deleteBranch('attached', true);
    }
  });

  it('the last output of a terminal, as it would be read: no colours, no earlier command', async () => {
    ready();
    const written = new vscode.EventEmitter<string>();
    const sequence = (code: string) => `\u001b]633;${code}\u0007`;
    const terminal = vscode.window.createTerminal({
      name: 'Tests',
      pty: {
        onDidWrite: written.event,
        open: () => written.fire(`${sequence('A')}$ ${sequence('B')}`),
        close: () => {},
      },
    });
    /** Resolves when an event of this terminal comes. The shell's signs of one write would be taken as one. */
    const comes = (event: vscode.Event<{ terminal: vscode.Terminal }>) =>
      new Promise<void>((done) => {
        const listening = event((one) => {
          if (one.terminal !== terminal) return;
          listening.dispose();
          done();
        });
      });
    try {
      terminal.show(true);
      await until(vscode.window.onDidChangeTerminalShellIntegration, () => terminal.shellIntegration !== undefined);
      const started = comes(vscode.window.onDidStartTerminalShellExecution);
      written.fire(`npm test${sequence('E;npm test')}\r\n`);
      written.fire(sequence('C'));
      await started;
      const ended = comes(vscode.window.onDidEndTerminalShellExecution);
      written.fire('  0 %\r 50 %\r100 %\r\n\u001b[31mfailing\u001b[0m: 1\r\n');
      written.fire(sequence('D;1'));
      await ended;
      await choose('term', 'terminal: npm test');
      const [chip] = await chips(1);
      assert.deepEqual([chip?.label, chip?.kind], ['npm test', 'terminal']);
      // A chip outlives the window, which counts anew.
      assert.match(chip?.id ?? '', /^terminal [0-9a-f-]{36}$/);
      const [sent] = (await send('What fails?'))!;
      assert.equal(textOf(sent), '$ npm test\n100 %\nfailing: 1\n(exit code 1)');
    } finally {
      terminal.dispose();
      written.dispose();
    }
  });

  it('all open editors, but none of another folder or that may hold a secret', async () => {
    await write('more/.env', 'TOKEN=1\n');
    for (const path of ['src/client.ts', 'src/totals.py', 'more/.env'])
      await vscode.window.showTextDocument(sampleFile(path), { preview: false });
    const provider = vscode.workspace.registerTextDocumentContentProvider('elsewhere', {
      provideTextDocumentContent: () => 'not of the workspace',
    });
    await vscode.window.showTextDocument(vscode.Uri.parse('elsewhere:/a.txt'), { preview: false });
    provider.dispose();
    ready();
    assert.equal((await offered('open', ({ label }) => label === 'open editors')).detail, '2 files');
    await choose('open', 'open editors');
    await scene.until('notice');
    assert.match(scene.last('notice')!.text, /^\.env may hold secrets\. Attach it by itself/);
    const own = ({ chips }: { chips: Chip[] }) => chips.filter(({ implicit }) => !implicit);
    const shown = await scene.surroundings((value) => own(value).length === 2);
    assert.deepEqual(
      own(shown).map(({ path }) => path),
      ['src/client.ts', 'src/totals.py'],
    );
  });

  itBesideNode('ask git nothing more once nobody waits for them', noGit, async () => {
    const [repository] = (await openGit())!.repositories;
    const { hash } = await repository!.getCommit('HEAD');
    const api = Object.getPrototypeOf(repository) as Repository;
    const { getCommit, diffBetween, status, log } = api;
    const [over, asked] = [new AbortController(), [] as string[]];
    const ended = new vscode.CancellationTokenSource();
    try {
      api.getCommit = async () => ({ hash, message: 'Two files', parents: ['before'] });
      // The list of files comes first, then each file's diff.
      api.diffBetween = (async () => {
        asked.push('diffBetween');
        over.abort();
        return ['src/client.ts', 'src/totals.py'].map((path) => ({ uri: sampleFile(path), status: 5 }));
      }) as unknown as Repository['diffBetween'];
      await assert.rejects(readCommit(sampleFile('src'), hash, over.signal));
      api.status = async () => {
        asked.push('status');
      };
      await assert.rejects(gitDiff(sampleFile('src'), over.signal));
      // Of this one, the git extension ends the process.
      api.log = async (_, token) => {
        asked.push(token === ended.token ? 'log' : 'log without end');
        return [];
      };
      await recentCommits(sampleFile('src'), 1, ended.token);
      ended.cancel();
      await recentCommits(sampleFile('src'), 1, ended.token);
    } finally {
      Object.assign(api, { getCommit, diffBetween, status, log });
    }
    assert.deepEqual(asked, ['diffBetween', 'log']);
  });

  it('a pasted file, which is no file of the workspace, even of one with that name', async () => {
    ready();
    scene.say({ type: 'attachText', name: 'src/client.ts', text: 'let pasted;' });
    await chips(1);
    const [sent] = (await send('What is this?'))!;
    assert.deepEqual([told(sent!), textOf(sent)], ['pasted src/client.ts', 'let pasted;']);
  });

  it('a folder and files that are dropped from the editor’s own lists, and the file of a tab', async () => {
    ready();
    const uris = ['src', 'src/client.ts'].map((path) => sampleFile(path).toString());
    scene.say({ type: 'attachFiles', uris });
    const [folder, file] = await chips(2);
    assert.deepEqual([folder?.kind, folder?.label, file?.kind], ['folder', 'src/', 'file']);
    const sent = (await send('What are these?'))!.map(told);
    assert.ok(
      sent.includes('folder src') && sent.filter((one) => one === 'file src/client.ts').length === 1,
      `${sent}`,
    );
  });

  it('a long pasted text, which can go back into the message', async () => {
    ready();
    const text = Array.from({ length: 120 }, (_, i) => `line ${i}`).join('\n');
    scene.say({ type: 'attachPasted', text });
    scene.say({ type: 'attachPasted', text: 'y'.repeat(5_000) });
    const [first, second] = await chips(2);
    assert.deepEqual([first?.label, second?.label], ['Pasted text, 120 lines', 'Pasted text, 5,000 characters']);
    scene.say({ type: 'takePasted', id: second!.id });
    await scene.until('pasted');
    const { chatId } = scene;
    const back = { type: 'pasted', id: second!.id, text: 'y'.repeat(5_000), to: undefined, chatId };
    assert.deepEqual(scene.last('pasted'), back);
    // The host may show another chat by now.
    scene.say(
      { type: 'newChat' },
      { type: 'detach', id: second!.id, chatId },
      { type: 'openConversation', id: chatId },
    );
    const [sent, ...others] = (await send('What is this?'))!;
    assert.deepEqual([told(sent!), textOf(sent), others], ['pasted 120 lines', text, []]);
  });
});
