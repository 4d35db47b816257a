import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { AnswerFiles } from '../../../extension/edit/files/answerFiles.ts';
import { readFile, type WorkspaceFiles, walk } from '../../../extension/edit/files/files.ts';
import { Links } from '../../../extension/platform/server/links.ts';
import { sampleFile } from '../window.ts';
import { create, ProposalScene, remove } from './proposalScene.ts';

describe('the files that a model names', () => {
  let scene: ProposalScene;
  let files: WorkspaceFiles;
  beforeEach(() => {
    scene = new ProposalScene();
    files = scene.files;
  });
  afterEach(() => scene.dispose());

  /** What was found, with the file's path in place of its address. */
  async function find(path: string, exact = false): Promise<string> {
    const found = await files.find(path, exact);
    return found.kind === 'refused' ? `refused: ${found.why}` : `${found.kind} ${found.path}`;
  }

  it('are those of the workspace, by their paths from its folder', async () => {
    await scene.write('sub/a.txt', 'text\n');
    const path = scene.path('sub/a.txt');
    assert.equal(await find(path), `file ${path}`);
    assert.equal(await find(`./${path}`), `file ${path}`);
    assert.equal(await find(path.replaceAll('/', '\\')), `file ${path}`);
    const { name } = vscode.workspace.workspaceFolders![0]!;
    assert.equal(await find(`${name}/${path}`), `file ${path}`);
    assert.equal(await find(scene.path('sub/new.txt')), `missing ${scene.path('sub/new.txt')}`);
    assert.equal(await find(`${name}/${scene.path('new.txt')}`), `missing ${scene.path('new.txt')}`);
  });

  it('may be named by the end of their path, if it is the only such one', async () => {
    await scene.write('packages/x/src/only.txt', 'x\n');
    assert.equal(await find('src/only.txt'), `file ${scene.path('packages/x/src/only.txt')}`);
    assert.equal(await find('only.txt'), `file ${scene.path('packages/x/src/only.txt')}`);
    assert.equal(await find('src/only.txt', true), 'missing src/only.txt');
    // Its search finds all others in the folder, too.
    for (let at = 0; at < 30; at++) await scene.write(`packages/x/docs/${at}.txt`, 'x\n');
    await scene.write('packages/x/docs/概要.txt', 'x\n');
    assert.equal(await find('docs/概要.txt'), `file ${scene.path('packages/x/docs/概要.txt')}`);
    assert.equal(await find('ly.txt'), 'missing ly.txt');
  });

  it('are chosen by the user where several are meant', async () => {
    await scene.write('x/src/twice.txt', 'x\n');
    await scene.write('y/src/twice.txt', 'y\n');
    const { showQuickPick } = vscode.window;
    const offered: string[][] = [];
    let choice: number | undefined = 1;
    const pick = async (items: readonly { label: string }[]) => {
      offered.push(items.map(({ label }) => label));
      return choice === undefined ? undefined : items[choice];
    };
    Object.defineProperty(vscode.window, 'showQuickPick', { value: pick, configurable: true, writable: true });
    try {
      const answer = new AnswerFiles(files);
      const chosen = await answer.find('src/twice.txt');
      assert.equal(chosen.path, scene.path('y/src/twice.txt'));
      await answer.find('./src/twice.txt');
      assert.deepEqual(offered, [[scene.path('x/src/twice.txt'), scene.path('y/src/twice.txt')]], 'asked once');
      choice = undefined;
      assert.match(await find('src/twice.txt'), /^refused: 2 files/);
    } finally {
      Object.defineProperty(vscode.window, 'showQuickPick', {
        value: showQuickPick,
        configurable: true,
        writable: true,
      });
    }
  });

  it('have in them what is not saved yet', async () => {
    await scene.write('a.txt', 'saved\n');
    await scene.insert('a.txt', 0, 'typed\n');
    const found = await files.find(scene.path('a.txt'));
    assert.equal(found.kind === 'file' && found.text, 'typed\nsaved\n');
  });

  const refused: [title: string, path: () => Promise<string>, why: RegExp][] = [
    ['outside the workspace', async () => '../outside.txt', /leads out/],
    ['of Git', async () => '.git/config', /Git itself/],
    ['by an absolute path', async () => sampleFile('README.md').path, /absolute/],
    ['that is a folder', async () => 'src', /folder/],
    ['below a file', async () => 'README.md/a.txt', /README.md is no folder/],
    ['that is binary', async () => put('b.bin', new Uint8Array([65, 0, 66])), /binary/],
    ['larger than 1 MB', async () => put('large.txt', new Uint8Array(1_000_001).fill(97)), /larger than 1 MB/],
  ];
  async function put(name: string, bytes: Uint8Array): Promise<string> {
    await scene.write(name, bytes);
    return scene.path(name);
  }
  for (const [title, path, why] of refused) {
    it(`are refused: one ${title}`, async () => assert.match(await find(await path()), why));
  }

  it('are refused in a proposal as well, whatever its plans say', async () => {
    const before = new TextDecoder().decode(await vscode.workspace.fs.readFile(sampleFile('.git/HEAD')));
    const plans = [
      { kind: 'update' as const, path: '.git/HEAD', before, after: 'ref: evil\n', hunks: [] },
      { kind: 'create' as const, path: '../evil.txt', after: 'evil\n', hunks: [] },
    ];
    const counts = await scene.proposals.open({ title: 'Evil' }, plans);
    assert.deepEqual(counts, { files: 0, refused: 2 });
    const [proposal] = scene.proposals.list.proposals;
    assert.deepEqual(
      proposal?.files.map(({ state }) => state),
      ['refused', 'refused'],
    );
    await scene.proposals.acceptAll(proposal);
    assert.equal(new TextDecoder().decode(await vscode.workspace.fs.readFile(sampleFile('.git/HEAD'))), before);
    await scene.proposals.rejectAll(proposal);
    assert.equal(scene.proposals.list.proposals.length, 0);
  });

  it('are made and deleted by the names that the disk has', async () => {
    await scene.write('d.txt', 'x\n');
    const proposal = await scene.propose(create('deep/er/n.txt', ['x']), remove('d.txt'));
    assert.deepEqual(
      proposal.files.map(({ uri }) => uri?.path.split(`${scene.folder}/`)[1]),
      ['deep/er/n.txt', 'd.txt'],
    );
  });
});

describe('the files that a model names without a workspace', () => {
  let scene: ProposalScene;
  const workspaceFolders = Object.getOwnPropertyDescriptor(vscode.workspace, 'workspaceFolders')!;
  beforeEach(async () => {
    scene = new ProposalScene();
    await scene.write('open.txt', 'open\n');
    await scene.write('closed.txt', 'closed\n');
    await scene.show('open.txt');
    Object.defineProperty(vscode.workspace, 'workspaceFolders', { get: () => undefined, configurable: true });
  });
  afterEach(async () => {
    Object.defineProperty(vscode.workspace, 'workspaceFolders', workspaceFolders);
    await scene.dispose();
  });

  it('are the open documents alone', async () => {
    const { uri } = vscode.window.activeTextEditor!.document;
    const open = await scene.files.find('open.txt');
    assert.equal(open.kind === 'file' && open.uri.toString(), uri.toString());
    assert.equal((await scene.files.find(uri.path)).kind, 'file');
    const closed = await scene.files.find('closed.txt');
    assert.equal(closed.kind === 'missing' && closed.uri.scheme, 'untitled');
    assert.equal((await scene.files.find('/etc/passwd')).kind, 'refused');
  });

  it('are made as unsaved documents', async () => {
    const name = `fresh${Date.now()}.txt`;
    await scene.proposals.open({ title: 'New' }, [{ kind: 'create', path: name, after: 'x\ny\n', hunks: [] }]);
    const [proposal] = scene.proposals.list.proposals;
    await scene.proposals.acceptAll(proposal);
    const document = vscode.workspace.textDocuments.find(({ uri }) => uri.path.endsWith(name));
    assert.equal(document?.uri.scheme, 'untitled');
    assert.equal(document.getText(), 'x\ny\n');
    assert.equal(vscode.window.activeTextEditor?.document, document);
  });
});

describe('a file system with links and read-only files', () => {
  const SCHEME = 'perigee-test-links';
  const { File, Directory, SymbolicLink } = vscode.FileType;
  interface Place {
    type: number;
    /** When it was made and changed, in ms: a link has the times of what it leads to. */
    at: number;
    text?: string;
    permissions?: vscode.FilePermission;
  }
  const NFD = 'cafe\u0301.txt';
  const places: Record<string, Place> = {
    '/': { type: Directory, at: 1 },
    '/plain.txt': { type: File, at: 10, text: 'plain\n' },
    '/link.txt': { type: File | SymbolicLink, at: 10, text: 'plain\n' },
    '/outside.txt': { type: File | SymbolicLink, at: 99, text: 'plain\n' },
    '/alike.txt': { type: File | SymbolicLink, at: 10, text: 'other\n' },
    '/dangling.txt': { type: SymbolicLink, at: 0 },
    '/real': { type: Directory, at: 20 },
    '/real/a.txt': { type: File, at: 30, text: 'a\n' },
    '/linked': { type: Directory | SymbolicLink, at: 20 },
    '/linked/a.txt': { type: File, at: 30, text: 'a\n' },
    '/away': { type: Directory | SymbolicLink, at: 21 },
    '/away/a.txt': { type: File, at: 31, text: 'a\n' },
    '/self': { type: Directory | SymbolicLink, at: 1 },
    '/one.txt': { type: File, at: 40, text: 'same\n' },
    '/two.txt': { type: File, at: 40, text: 'same\n' },
    '/either.txt': { type: File | SymbolicLink, at: 40, text: 'same\n' },
    '/timeless.txt': { type: File, at: 0, text: 'none\n' },
    '/toTimeless.txt': { type: File | SymbolicLink, at: 0, text: 'none\n' },
    '/locked.txt': { type: File, at: 50, text: 'x\n', permissions: vscode.FilePermission.Readonly },
    [`/${NFD}`]: { type: File, at: 60, text: 'x\n' },
    '/\u00e9.txt': { type: File, at: 61, text: 'x\n' },
    '/e\u0301.txt': { type: File, at: 62, text: 'x\n' },
  };
  let provider: vscode.Disposable;
  let asked = 0;
  before(() => {
    const refuse = () => {
      throw vscode.FileSystemError.NoPermissions();
    };
    const placeAt = ({ path }: vscode.Uri) => {
      // What is below a link to the root is what is below the root.
      const place = places[path] ?? places[path.replace(/^(?:\/self)+(?=\/)/, '')];
      if (!place) throw vscode.FileSystemError.FileNotFound();
      return place;
    };
    provider = vscode.workspace.registerFileSystemProvider(SCHEME, {
      onDidChangeFile: new vscode.EventEmitter<vscode.FileChangeEvent[]>().event,
      watch: () => new vscode.Disposable(() => {}),
      stat: (uri) => {
        asked++;
        const { type, at, text = '', permissions } = placeAt(uri);
        return { type, permissions, size: text.length, ctime: at, mtime: at };
      },
      readDirectory: (uri) => {
        const folder = uri.path.replace(/^(?:\/self)+$/, '').replace(/\/$/, '');
        return Object.entries(places)
          .filter(([path]) => path !== '/' && path.slice(0, path.lastIndexOf('/')) === folder)
          .map(([path, { type }]): [string, vscode.FileType] => [path.slice(path.lastIndexOf('/') + 1), type]);
      },
      readFile: (uri) => new TextEncoder().encode(placeAt(uri).text),
      writeFile: refuse,
      createDirectory: refuse,
      delete: refuse,
      rename: refuse,
    });
  });
  after(() => provider.dispose());

  const at = (path: string) => vscode.Uri.from({ scheme: SCHEME, path });
  const folder = { uri: at('/'), name: 'links', index: 0 };
  const told = (found: { kind: string; why?: string; uri?: vscode.Uri }) =>
    found.why ?? `${found.kind} ${found.uri?.path}`;

  const walks: [title: string, path: string, expected: string | RegExp][] = [
    ['a file', 'plain.txt', 'file /plain.txt'],
    ['a link to a file of the workspace', 'link.txt', 'file /plain.txt'],
    ['a file below a link to a folder of the workspace', 'linked/a.txt', 'file /real/a.txt'],
    ['a new file below such a link', 'linked/new/b.txt', 'missing /real/new/b.txt'],
    ['a file below a link to the workspace itself', 'self/self/plain.txt', 'file /plain.txt'],
    ['a link that leads outside', 'outside.txt', /is a link/],
    ['a link to a file that is only as old and as large', 'alike.txt', /is a link/],
    ['a link that leads nowhere', 'dangling.txt', /is a link/],
    ['a file below a link that leads outside', 'away/a.txt', /away is a link/],
    ['a new file below such a link', 'away/new.txt', /away is a link/],
    ['a link to one of two files that are the same', 'either.txt', /is a link/],
    ['a link where the file system knows no times', 'toTimeless.txt', /is a link/],
    ['a name in another normal form', 'caf\u00e9.txt', `file /${NFD}`],
    ['a name in its own normal form', NFD, `file /${NFD}`],
    ['one of two names that look the same', '\u00e9.txt', /Several names/],
  ];
  for (const [title, path, expected] of walks) {
    it(`finds by ${title} ${expected instanceof RegExp ? 'nothing' : expected}`, async () => {
      const found = told(await walk(folder, path.split('/')));
      if (expected instanceof RegExp) assert.match(found, expected);
      else assert.equal(found, expected);
    });
  }

  it('is looked for through a link once, until one of both is another', async () => {
    const links = new Links();
    const walked = async (path: string) => {
      const before = asked;
      const found = told(await walk(folder, path.split('/'), [folder.uri], links));
      return { found, asked: asked - before };
    };
    const first = await walked('link.txt');
    const again = await walked('link.txt');
    assert.equal(again.found, 'file /plain.txt');
    assert.ok(again.asked <= 2 && first.asked > 10, `${first.asked}, then ${again.asked}`);
    await walked('outside.txt');
    const outside = await walked('outside.txt');
    assert.match(outside.found, /is a link/);
    assert.equal(outside.asked, 1);
    const { at: was } = places['/plain.txt']!;
    places['/plain.txt']!.at = 11;
    assert.match((await walked('link.txt')).found, /is a link/);
    places['/link.txt']!.at = 11;
    assert.equal((await walked('link.txt')).found, 'file /plain.txt');
    places['/plain.txt']!.at = places['/link.txt']!.at = was;
  });

  it('is not read or written through a link itself', async () =>
    assert.match(told(await readFile(at('/link.txt'))), /is a link/));

  it('is not written to where it is read-only', async () => {
    assert.match(told(await readFile(at('/plain.txt'))), /^file/);
    assert.match(told(await readFile(at('/locked.txt'))), /read-only/);
  });
});
