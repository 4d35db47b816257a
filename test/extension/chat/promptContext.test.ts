import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { Mentions } from '../../../extension/chat/context/mentions.ts';
import { PromptContext } from '../../../extension/chat/context/promptContext.ts';
import { itBesideNode, sampleFile } from '../window.ts';

const { fs } = vscode.workspace;
const write = (path: string, text: string) => fs.writeFile(sampleFile(path), new TextEncoder().encode(text));

describe('what @ names in a prompt at the lines', () => {
  const about = sampleFile('src/client.ts');
  afterEach(() => fs.delete(sampleFile('named'), { recursive: true }).then(undefined, () => {}));

  async function read(prompt: string) {
    const named = await new PromptContext().read(prompt, about);
    if ('refused' in named) return named;
    return { sent: named.attachments.map(({ path }) => path), missing: named.missing };
  }

  it('is found by its path in a workspace of any size, and in a sentence', async () => {
    const found = async (mostListed: number) =>
      (await new Mentions([], mostListed).find('src/totals.py', [])).map(({ label, detail }) => `${detail}/${label}`);
    assert.deepEqual(await found(2), await found(5_000));
    assert.deepEqual(await found(2), ['src/totals.py']);
    assert.deepEqual(await read('as @src/totals.py, and (@src/totals.py).'), { sent: ['src/totals.py'], missing: [] });
  });

  it('is told where it is nothing, also what lies outside of the workspace', async () => {
    const outside = '@../sample/src/totals.py @/etc/hosts';
    assert.deepEqual(await read(`@param is named, ${outside}`), {
      ...{ sent: [], missing: ['param', '../sample/src/totals.py', '/etc/hosts'] },
    });
  });

  it('is looked up once, and only so many names', async () => {
    const many = Array.from({ length: 60 }, (_, at) => `@none${at} @none${at}`);
    const named = await read(many.join(' '));
    assert.ok('missing' in named && named.missing.length === 60);
  });

  it('is refused by name if it is a picture or may hold secrets', async () => {
    await write('named/shot.png', 'no matter');
    await write('named/.env', 'KEY=1');
    for (const [name, why] of [
      ['named/shot.png', /^shot\.png is a picture/],
      ['named/.env', /^\.env may hold secrets/],
    ] as const) {
      const named = await read(`as @${name} is`);
      assert.match('refused' in named ? named.refused : '', why);
    }
  });

  const NO_LINKS = 'the host in a worker has no disk to link on';
  itBesideNode('is refused if it is a link to secrets, or to a place that can not be told', NO_LINKS, async () => {
    // Not a literal: the bundle for the worker has no such module.
    const module = 'node:fs/promises';
    const { symlink }: typeof import('node:fs/promises') = await import(module);
    await write('named/.env', 'KEY=1');
    await write('named/plain.txt', 'plain');
    const link = (name: string, target: string) => symlink(target, sampleFile(`named/${name}`).fsPath);
    await link('notes.txt', '.env');
    await link('hosts.txt', '/etc/hosts');
    await link('other.txt', 'plain.txt');
    for (const name of ['notes.txt', 'hosts.txt']) {
      const named = await read(`@named/${name}`);
      assert.match('refused' in named ? named.refused : '', /may hold secrets/, name);
    }
    assert.deepEqual(await read('@named/other.txt'), { sent: ['named/other.txt'], missing: [] });
  });
});
