import * as vscode from 'vscode';
import { MAX_INSTRUCTION_BYTES } from '../../../shared/constants.ts';
import { Disposable } from '../../platform/dispose.ts';
import { Emitter } from '../../platform/emitter.ts';
import { readFrontMatter } from '../../platform/instructions/frontMatter.ts';
import { findBelow, type Judge, readSmallText } from '../../platform/instructions/smallFiles.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import { AttachmentRefused, baseName } from '../context/attachments.ts';
import type { SlashCommand } from '../protocol.ts';

const ENDING = '.prompt.md';
const FOLDER = '.github/prompts';
/** New folders are told of, but what is written into them in the same moment may not be. */
const WATCHED = `**/{.github,${FOLDER},${FOLDER}/*${ENDING},.gitignore,.ignore}`;
/** The settings that decide which files are left out. */
const DECIDING = ['files.exclude', 'search.exclude'];
const MOST_SHOWN = 160;
/** They would give a model powers that Perigee does not give to files. */
const WITHOUT_EFFECT = ['tools', 'mode', 'agent', 'model'];

interface PromptFile {
  uri: vscode.Uri;
  command: SlashCommand;
}

/**
 * Prompts that stand in files: `.github/prompts/*.prompt.md` of a trusted workspace, and those of the user beside the
 * editor's settings, where VS Code keeps them. The text of such a file is a question and nothing else.
 */
export class PromptFiles extends Disposable {
  private readonly changed = this._register(new Emitter<void>());
  readonly onDidChange = this.changed.event;
  private files: PromptFile[] = [];
  private looks = 0;
  private isKnown = false;

  /** `taken`: names of other commands. `whyNot` judges the files of the workspace. */
  constructor(
    private readonly ofUser: vscode.Uri,
    private readonly taken: ReadonlySet<string>,
    private readonly whyNot: Judge = whyNotUnasked,
  ) {
    super();
    const { workspace } = vscode;
    const look = () => void this.look();
    for (const glob of [WATCHED, new vscode.RelativePattern(ofUser, `*${ENDING}`)]) {
      const watcher = this._register(workspace.createFileSystemWatcher(glob));
      this._register(watcher.onDidCreate(look));
      this._register(watcher.onDidChange(look));
      this._register(watcher.onDidDelete(look));
    }
    this._register(workspace.onDidChangeWorkspaceFolders(look));
    this._register(
      workspace.onDidChangeConfiguration((event) => DECIDING.some((one) => event.affectsConfiguration(one)) && look()),
    );
    this._register(workspace.onDidGrantWorkspaceTrust(look));
    look();
  }

  get commands(): SlashCommand[] {
    return this.files.map(({ command }) => command);
  }

  /** The question in a file, as it is now; undefined for a name in lower case that no file has. Throws `AttachmentRefused`. */
  async read(name: string): Promise<string | undefined> {
    const named = () => this.files.find(({ command }) => command.name.toLowerCase() === name);
    if (!named()) await this.look();
    const file = named();
    if (!file) return undefined;
    const found = await readSmallText(file.uri, this.judge(file.uri));
    const label = baseName(file.uri.path);
    if (!found) throw new AttachmentRefused(`${label} is no longer there.`);
    if ('why' in found) throw new AttachmentRefused(found.why);
    const body = readFrontMatter(found.text).body.trim();
    if (body === '') throw new AttachmentRefused(`${label} has no text below its head.`);
    if (new TextEncoder().encode(body).length > MAX_INSTRUCTION_BYTES)
      throw new AttachmentRefused(`${label} is longer than the ${MAX_INSTRUCTION_BYTES / 1024} KB of a prompt.`);
    return body;
  }

  /** Reads the folders. A watcher may miss files, and tells nothing of those that `files.watcherExclude` names. */
  async look(): Promise<void> {
    const look = ++this.looks;
    const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => vscode.Uri.joinPath(uri, FOLDER));
    const found = await Promise.all(
      [...folders, this.ofUser].map((folder) => findBelow(folder, ENDING, { deepest: 0, whyNot: this.judge(folder) })),
    );
    const read = await Promise.all(found.flatMap(({ uris }) => uris).map((uri) => this.describe(uri)));
    if (look !== this.looks || this.isDisposed) return;
    const files = new Map<string, PromptFile>();
    for (const file of read) {
      if (!file) continue;
      const { name } = file.command;
      // A file does not replace a command, nor the user's a file of the workspace.
      const isTaken = (one: string) => this.taken.has(one) || files.has(one);
      const free = isTaken(name.toLowerCase()) ? `${name}.prompt` : name;
      if (!isTaken(free.toLowerCase()))
        files.set(free.toLowerCase(), { ...file, command: { ...file.command, name: free } });
    }
    const before = JSON.stringify(this.commands);
    this.files = [...files.values()];
    // The first look may have been overtaken by another.
    if (!this.isKnown || JSON.stringify(this.commands) !== before) this.changed.fire();
    this.isKnown = true;
  }

  private async describe(uri: vscode.Uri): Promise<PromptFile | undefined> {
    const file = await readSmallText(uri, this.judge(uri));
    if (!file || 'why' in file) return undefined;
    const { fields, body } = readFrontMatter(file.text);
    const name = baseName(uri.path).slice(0, -ENDING.length).replace(/\s+/g, '-');
    if (name === '') return undefined;
    const detail = fields.get('description') || body.trim().split('\n', 1)[0] || baseName(uri.path);
    const ignored = WITHOUT_EFFECT.filter((field) => fields.get(field));
    const note = ignored.length > 0 ? `No effect here: its ${ignored.join(', ')}` : undefined;
    return { uri, command: { name, icon: 'book', detail: detail.slice(0, MOST_SHOWN), note } };
  }

  private judge(uri: vscode.Uri): Judge {
    return vscode.workspace.getWorkspaceFolder(uri) ? this.whyNot : async () => undefined;
  }
}
