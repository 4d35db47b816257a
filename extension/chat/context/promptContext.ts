import * as vscode from 'vscode';
import type { AttachedText } from '../../../shared/runs.ts';
import { holdsSecrets } from '../../platform/secrecy/guarded.ts';
import { judgedPath } from '../../platform/secrecy/judgedPath.ts';
import { Links } from '../../platform/server/links.ts';
import type { Mention } from '../protocol.ts';
import { AttachmentRefused, baseName, diffChip, fileChip, problemsChip, type StoredChip } from './attachments.ts';
import { chipInputs } from './chipInputs.ts';
import { Mentions } from './mentions.ts';
import { placeOffers } from './offers.ts';
import { attachableNow } from './suggestions.ts';

/** Something that `@` offers, and how the text of a prompt names it. */
export interface NamedOffer extends Mention {
  /** With its `@`. */
  token: string;
}

/** How many names of one prompt are looked up, and how many of them together. A pasted text may be full of `@`. */
const [MOST_NAMES, AT_ONCE] = [40, 8];

/** What the names in a prompt name. `missing`: those of nothing. */
interface Named {
  attachments: AttachedText[];
  missing: string[];
}

/**
 * What `@` names in a prompt that is text alone: files, folders, symbols, problems and changes, as the chat offers them. A file that may hold secrets is neither offered nor attached.
 */
export class PromptContext {
  private readonly mentions = new Mentions(placeOffers());
  private readonly links = new Links();

  async offers(query: string, about: vscode.Uri): Promise<NamedOffer[]> {
    const found = await this.mentions.find(query, kindsNear(about));
    return found.filter((item) => !holdsSecrets(placeOf(item))).map((item) => ({ ...item, token: tokenOf(item) }));
  }

  /**
   * The texts that a prompt about a file names, and the names of nothing; or why one of them can't go along, in a sentence
   * for the user.
   */
  async read(prompt: string, about: vscode.Uri): Promise<Named | { refused: string }> {
    try {
      return await this.readAll(prompt, about);
    } catch (error) {
      if (error instanceof AttachmentRefused) return { refused: error.message };
      throw error;
    }
  }

  private async readAll(prompt: string, about: vscode.Uri): Promise<Named> {
    const chips = new Map<string, StoredChip>();
    const all = namesIn(prompt);
    const missing = all.slice(MOST_NAMES);
    for (let from = 0; from < Math.min(all.length, MOST_NAMES); from += AT_ONCE) {
      const some = all.slice(from, Math.min(from + AT_ONCE, MOST_NAMES));
      const found = await Promise.all(some.map((names) => this.chips(names, about)));
      for (const [at, own] of found.entries()) {
        if (own.length === 0) missing.push(some[at]!);
        for (const chip of own) chips.set(chip.id, chip);
      }
    }
    const picture = [...chips.values()].find(({ kind }) => kind === 'image');
    if (picture) throw refusedPicture(picture.label);
    const inputs = await chipInputs([...chips.values()], { text: prompt, kept: 0 }, { pieces: async () => [] });
    return {
      attachments: inputs.filter((input) => 'text' in input),
      missing: missing.map((names) => names.at(-1)!),
    };
  }

  /** The chips of what is named, if anything is. */
  private async chips(names: readonly string[], about: vscode.Uri): Promise<StoredChip[]> {
    const special = kindsNear(about);
    for (const name of names) {
      // A large workspace is not listed, and one name in it may have many places.
      const file = special.some((kind) => kind === name) ? undefined : await fileAt(name);
      if (file) return [await this.file(file)];
      const [path = '', symbol] = name.split('#');
      const query = symbol === undefined ? path.replace(/\/$/, '') : `#${symbol}`;
      const found = await this.mentions.find(query, special);
      const item = found.find((one) => nameOf(one) === name);
      if (item) return this.attach(item, about);
    }
    return [];
  }

  private async file(uri: vscode.Uri): Promise<StoredChip> {
    if (holdsSecrets(judgedPath(uri))) throw refusedSecret(uri.path);
    const target = await this.behindLinks(uri);
    if (!target || holdsSecrets(judgedPath(target))) throw refusedSecret(uri.path);
    return fileChip(uri);
  }

  /** Where a path leads through the links in it; undefined if that can't be told. */
  private async behindLinks(uri: vscode.Uri): Promise<vscode.Uri | undefined> {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    if (!folder) return uri;
    const folders = (vscode.workspace.workspaceFolders ?? []).map((one) => one.uri);
    let at = folder.uri;
    for (const name of uri.path.slice(folder.uri.path.length).split('/').filter(Boolean)) {
      at = vscode.Uri.joinPath(at, name);
      const type = await typeOf(at);
      if (type === undefined || !(type & vscode.FileType.SymbolicLink)) continue;
      const target = await this.links.resolve(at, folders);
      if (!target) return undefined;
      at = target;
    }
    return at;
  }

  private async attach(item: Mention, about: vscode.Uri): Promise<StoredChip[]> {
    const place = placeOf(item);
    if (holdsSecrets(place)) throw refusedSecret(place);
    const what = this.mentions.resolve(item.id);
    switch (what) {
      case undefined:
      case 'found':
      case 'selection':
        return [];
      case 'problems':
        return [problemsChip(about)];
      case 'diff':
        return [await diffChip(about)];
    }
    if (what instanceof vscode.Uri) return [await this.file(what)];
    const chips: StoredChip[] = [];
    for await (const chip of await what.chips()) chips.push(chip);
    return chips;
  }
}

/** The selection is what the edit is about, and a search of the workspace needs a question. */
const kindsNear = (about: vscode.Uri) => attachableNow(about).filter((kind) => kind === 'problems' || kind === 'diff');

const refusedSecret = (path: string) =>
  new AttachmentRefused(
    `${baseName(path)} may hold secrets, so it does not go along with an edit. Take it out of the text; the chat attaches it if you choose it there.`,
  );

const refusedPicture = (name: string) =>
  new AttachmentRefused(
    `${name} is a picture, and only text goes along with an edit at the lines. Take it out of the text; the chat takes pictures.`,
  );

/** The file of the workspace at a path, with several folders also from a folder's name on. */
async function fileAt(path: string): Promise<vscode.Uri | undefined> {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return undefined;
  const places = (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri, name }) => [
    ...(parts.length > 1 && parts[0] === name ? [vscode.Uri.joinPath(uri, ...parts.slice(1))] : []),
    vscode.Uri.joinPath(uri, ...parts),
  ]);
  const types = await Promise.all(places.map(typeOf));
  return places.find((_, at) => (types[at] ?? 0) & vscode.FileType.File);
}

const typeOf = (uri: vscode.Uri) =>
  vscode.workspace.fs.stat(uri).then(
    ({ type }) => type,
    () => undefined,
  );

/** The path of an offer, from the workspace's folder on. */
function placeOf({ id, label, detail = '' }: Mention): string {
  if (id.startsWith('symbol ')) return detail.replace(/:\d+$/, '');
  if (id.startsWith('folder ')) return (parse(id) ?? vscode.Uri.file(label)).path;
  return detail ? `${detail}/${label}` : label;
}

const parse = (id: string) => {
  try {
    return vscode.Uri.parse(id.slice(id.indexOf(' ') + 1), true);
  } catch {
    return undefined;
  }
};

/** `src/client.ts`, `src/`, `src/client.ts#waitMs`, `problems`. */
function nameOf(item: Mention): string {
  const { id, label, detail = '' } = item;
  if (id.startsWith('symbol ')) return `${placeOf(item)}#${label}`;
  if (id.startsWith('file ') || id.startsWith('folder ')) return detail ? `${detail}/${label}` : label;
  return label;
}

function tokenOf(item: Mention): string {
  const name = nameOf(item);
  return /^[^\s"@]+$/.test(name) && !/[.,;:!?)\]]$/.test(name) ? `@${name}` : `@"${name}"`;
}

/** The names after an `@`, each with its other readings: a sentence may go on behind it. */
function namesIn(prompt: string): string[][] {
  const all = [...prompt.matchAll(/(?<![\p{L}\p{N}_@])@(?:"([^"\n]{1,500})"|([^\s"@]{1,500}))/gu)];
  const read = all.map(([, quoted, plain = '']) => {
    let shorter = plain;
    while (shorter !== '' && '.,;:!?)]'.includes(shorter.at(-1)!)) shorter = shorter.slice(0, -1);
    return quoted ? [quoted] : [...new Set([plain, shorter])].filter((name) => name !== '');
  });
  return [...new Map(read.map((names) => [names.at(-1), names])).values()].filter((names) => names.length > 0);
}
