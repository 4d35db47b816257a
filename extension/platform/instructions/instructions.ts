import * as vscode from 'vscode';
import { MAX_INSTRUCTION_BYTES, MAX_INSTRUCTIONS } from '../../../shared/constants.ts';
import type { Instruction } from '../../../shared/runs.ts';
import { Disposable } from '../dispose.ts';
import { Emitter } from '../emitter.ts';
import { ownInstructions, sendsInstructions } from '../settings.ts';
import { whyNotUnasked } from '../unasked.ts';
import { type AppliesTo, readApplyTo } from './applyTo.ts';
import { readFrontMatter } from './frontMatter.ts';
import { findBelow, type Judge, readSmallText } from './smallFiles.ts';

/** A file of instructions, or why it is not sent. */
interface Found {
  folder: string;
  path: string;
  appliesTo: AppliesTo;
  /** Not longer than what is sent of it, and so much that it shows whether there is more. */
  text?: string;
  why?: string;
}

/** What goes along with a request. `leftOut` is not sent, or only in part, for the reason `why`. */
export interface Guidance {
  instructions: Instruction[];
  leftOut: { path?: string; why: string }[];
}

const ALWAYS = ['.github/copilot-instructions.md', 'AGENTS.md'];
const MATCHED = '.github/instructions';
/** The settings that decide which files go along. */
const DECIDING = ['perigee.instructions', 'files.exclude', 'search.exclude'];
const IGNORING = '.gitignore,.ignore,.github/.gitignore,.github/.ignore';
const WATCHED = `{AGENTS.md,.github,.github/copilot-instructions.md,${MATCHED},${MATCHED}/**,${IGNORING}}`;

/**
 * The instructions of the workspace and the user for the model: `AGENTS.md`, `.github/copilot-instructions.md`,
 * `.github/instructions/*.instructions.md` and a setting. They are sent unasked, so the rules of `whyNotUnasked` hold:
 * nothing of a workspace that isn't trusted, and nothing secret, ignored or behind a link.
 */
export class Instructions extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private found: Promise<Found[]> | undefined;
  private readonly watchers = new Map<string, vscode.Disposable>();

  /** `whyNot`: why a file is not sent unasked. */
  constructor(private readonly whyNot: Judge = whyNotUnasked) {
    super();
    const { workspace } = vscode;
    const anew = () => {
      this.found = undefined;
      this.changed.fire();
    };
    this.watch(anew);
    this._register(
      workspace.onDidChangeWorkspaceFolders(() => {
        this.watch(anew);
        anew();
      }),
    );
    this._register(workspace.onDidGrantWorkspaceTrust(anew));
    // Settings and ignore files decide which files are left out.
    this._register(
      workspace.onDidChangeConfiguration((event) => DECIDING.some((one) => event.affectsConfiguration(one)) && anew()),
    );
    this._register(workspace.onDidSaveTextDocument(({ uri }) => /ignore$/.test(uri.path) && anew()));
    this._register(vscode.window.onDidChangeWindowState(({ focused }) => focused && void this.look()));
    this._register({
      dispose: () => {
        for (const watcher of this.watchers.values()) watcher.dispose();
      },
    });
  }

  /** What goes along with a request about these files; about none, what belongs to the whole workspace. */
  async for(about: readonly vscode.Uri[]): Promise<Guidance> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const files = about.flatMap((uri) => {
      const folder = vscode.workspace.getWorkspaceFolder(uri);
      return folder ? [{ folder: folder.uri.toString(), names: namesIn(folder.uri, uri) }] : [];
    });
    const isMeant = (folder: string) => files.length === 0 || files.some((file) => file.folder === folder);
    // A folder can turn off its own.
    const on = folders.filter(({ uri }) => isMeant(String(uri)) && sendsInstructions(uri));
    const meant = new Set(on.map(({ uri }) => String(uri)));
    const fitting = (meant.size > 0 ? await this.known() : []).filter(({ folder, appliesTo }) => {
      const names = files.filter((file) => file.folder === folder).map((file) => file.names);
      return meant.has(folder) && appliesTo(names);
    });
    const own = sendsInstructions(about[0]) ? ownInstructions() : '';
    return bounded([...(own ? [{ text: own }] : []), ...fitting]);
  }

  /** What goes along with a request that is made now: as `for`, from the files as they are. */
  async take(about: readonly vscode.Uri[]): Promise<Instruction[]> {
    await this.look();
    return (await this.for(about)).instructions;
  }

  /**
   * Reads the files again if they were read. Watchers miss what is written into a new folder in the same moment, and
   * tell nothing of what `files.watcherExclude` names.
   */
  async look(): Promise<void> {
    const before = this.found;
    if (!before) return;
    const now = this.find();
    const [was, is] = await Promise.allSettled([before, now]);
    // Else a watcher was faster.
    if (this.found !== before || is.status === 'rejected' || JSON.stringify(was) === JSON.stringify(is)) return;
    this.found = now;
    this.changed.fire();
  }

  private async known(): Promise<Found[]> {
    this.found ??= this.find();
    const { found } = this;
    try {
      return await found;
    } catch (error) {
      // The next request tries again.
      if (this.found === found) this.found = undefined;
      throw error;
    }
  }

  private async find(): Promise<Found[]> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const all = (await Promise.all(folders.map(({ uri }) => findIn(uri, this.whyNot)))).flat();
    // Two folders of one name have the same paths, and a later text of the same path would count as its change.
    const taken = new Set<string>();
    return all.map((one) => {
      let { path } = one;
      for (let copy = 2; taken.has(path); copy++) path = `${one.path} (${copy})`;
      taken.add(path);
      return { ...one, path };
    });
  }

  private watch(anew: () => void): void {
    const folders = new Map((vscode.workspace.workspaceFolders ?? []).map((folder) => [String(folder.uri), folder]));
    for (const [key, watcher] of this.watchers)
      if (!folders.has(key)) {
        watcher.dispose();
        this.watchers.delete(key);
      }
    for (const [key, folder] of folders) {
      if (this.watchers.has(key)) continue;
      const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, WATCHED));
      watcher.onDidCreate(anew);
      watcher.onDidChange(anew);
      watcher.onDidDelete(anew);
      this.watchers.set(key, watcher);
    }
  }
}

async function findIn(folder: vscode.Uri, whyNot: Judge): Promise<Found[]> {
  const read = async (uri: vscode.Uri, isForAll: boolean): Promise<Found[]> => {
    const file = await readSmallText(uri, whyNot);
    if (!file) return [];
    const head = { folder: folder.toString(), path: pathOf(uri), appliesTo: () => true };
    if ('why' in file) return [{ ...head, why: file.why }];
    if (file.text.trim() === '') return [];
    const appliesTo = isForAll ? head.appliesTo : readApplyTo(readFrontMatter(file.text).fields.get('applyto'));
    return [{ ...head, appliesTo, text: beginning(file.text) }];
  };
  const below = vscode.Uri.joinPath(folder, MATCHED);
  const { uris, why } = await findBelow(below, '.instructions.md', { deepest: 3, whyNot });
  const always = ALWAYS.map((path) => read(vscode.Uri.joinPath(folder, path), true));
  const all = await Promise.all([...always, ...uris.map((uri) => read(uri, false))]);
  const shut =
    why === undefined ? [] : [{ folder: folder.toString(), path: pathOf(below), appliesTo: () => true, why }];
  return [...all.flat(), ...shut];
}

const pathOf = (uri: vscode.Uri) => vscode.workspace.asRelativePath(uri).replaceAll('\\', '/');

/** A copy of what can be sent of a text and a little more, so that the rest needs no memory. */
function beginning(text: string): string {
  const bytes = new Uint8Array(MAX_INSTRUCTION_BYTES + 4);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, written));
}

/** Cuts what is too much in all, and says so to the user and to the model. */
function bounded(all: readonly { path?: string; text?: string; why?: string }[]): Guidance {
  const guidance: Guidance = { instructions: [], leftOut: [] };
  let left = MAX_INSTRUCTION_BYTES;
  for (const { path, text, why } of all) {
    const leaveOut = (reason: string) =>
      guidance.leftOut.push({ ...(path === undefined ? {} : { path }), why: reason });
    if (text === undefined) {
      leaveOut(why ?? '');
      continue;
    }
    if (left <= CUT.length || guidance.instructions.length === MAX_INSTRUCTIONS) {
      leaveOut(
        `Not sent: the instructions before it take the ${MAX_INSTRUCTION_BYTES / 1024} KB or ${MAX_INSTRUCTIONS} files that go along.`,
      );
      continue;
    }
    const part = cut(text, left);
    left -= part.bytes;
    guidance.instructions.push({ ...(path === undefined ? {} : { path }), text: part.text });
    if (part.isCut)
      leaveOut(`Sent in part: of all instructions together, ${MAX_INSTRUCTION_BYTES / 1024} KB go along.`);
  }
  return guidance;
}

const CUT = '\n(cut here)';

function cut(text: string, most: number): { text: string; bytes: number; isCut: boolean } {
  const { read, written } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  if (read === text.length) return { text, bytes: written, isCut: false };
  const whole = new TextEncoder().encodeInto(text, new Uint8Array(most - CUT.length)).read;
  return { text: text.slice(0, whole) + CUT, bytes: most, isCut: true };
}

const namesIn = (folder: vscode.Uri, uri: vscode.Uri) =>
  uri.path.slice(folder.path.replace(/\/?$/, '/').length).split('/');
