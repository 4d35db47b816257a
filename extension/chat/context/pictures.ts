import * as vscode from 'vscode';
import {
  imageTokens,
  imageTokensBound,
  MAX_IMAGE_BYTES,
  MAX_IMAGE_FILE_BYTES,
  MAX_IMAGE_SIDE,
  readImageHead,
} from '../../../shared/media/images.ts';
import type { Model } from '../../../shared/models.ts';
import type { ImageInput } from '../../../shared/runs.ts';
import { fromBase64, toBase64 } from '../../platform/base64.ts';
import { BackendError, localProblem } from '../../platform/server/backendError.ts';
import type { FromHost, ToHost } from '../protocol.ts';
import { AttachmentRefused, type StoredChip } from './attachments.ts';

/** Drafts and waiting messages have fewer. Older ones are deleted. */
const MOST_KEPT = 40;
/** How long the view may take to make a large picture smaller. The message waits for it. */
const SHRINK_MS = 20_000;

type Told = Extract<FromHost, { type: 'picture' }>;
type Shrunk = Extract<ToHost, { type: 'attachPicture' | 'pictureRefused' }>;

/**
 * The pictures of drafts and waiting messages: files in the editor's storage, so that they survive a reload, named by
 * their content. The view makes pictures smaller, because only it can decode them.
 */
export class Pictures {
  private readonly asked = new Map<string, (answer: Shrunk) => void>();

  constructor(
    private readonly folder: vscode.Uri,
    private readonly deps: {
      ask(message: Extract<FromHost, { type: 'shrink' }>): void;
      /** The bytes of a picture that was sent, by its attachment's id. */
      fetch(id: string): Promise<{ mediaType: string; bytes: Uint8Array }>;
    },
  ) {}

  /** A chip for a picture that was pasted, or made smaller by the view. Throws `AttachmentRefused`. */
  async keep(name: string, base64: string): Promise<StoredChip> {
    const bytes = decoded(base64);
    const head = bytes && readImageHead(bytes);
    if (!bytes || !head) throw new AttachmentRefused(`${name} is no picture that can be read.`);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const file = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const uri = vscode.Uri.joinPath(this.folder, file);
    await vscode.workspace.fs.createDirectory(this.folder);
    await vscode.workspace.fs.writeFile(uri, bytes);
    await this.prune();
    const label = { label: name, path: name };
    const size = { tokens: imageTokens(head), mostTokens: imageTokensBound(head) };
    return { id: `image ${file}`, kind: 'image', ...label, uri: uri.toString(), ...size };
  }

  /** The same picture, kept. One of a file is made smaller first, and read from then on as it was. */
  async kept(chip: StoredChip): Promise<StoredChip> {
    if (KEPT.test(chip.id)) return chip;
    const bytes = await readPicture(chip, MAX_IMAGE_FILE_BYTES);
    if (!readImageHead(bytes)) throw new AttachmentRefused(`${chip.label} is no PNG, JPEG, WebP or GIF.`);
    const requestId = crypto.randomUUID();
    const late = { type: 'pictureRefused', requestId, why: 'could not be read in time. Try again.' } as const;
    const answer = await new Promise<Shrunk>((resolve) => {
      this.asked.set(requestId, resolve);
      setTimeout(() => resolve(late), SHRINK_MS);
      this.deps.ask({ type: 'shrink', requestId, name: chip.label, data: toBase64(bytes) });
    });
    this.asked.delete(requestId);
    if (answer.type === 'pictureRefused') throw new AttachmentRefused(`${chip.label} ${answer.why}`);
    return { ...(await this.keep(chip.label, answer.data)), path: chip.path };
  }

  /** The view has made a file's picture smaller, or could not. False if nothing was asked. */
  answered(message: Shrunk): boolean {
    const resolve = this.asked.get(message.requestId ?? '');
    resolve?.(message);
    return resolve !== undefined;
  }

  /** The picture of a chip, or of a sent message, for the view to draw. */
  async show(id: string): Promise<Told> {
    const file = KEPT.exec(id)?.[1];
    try {
      const { bytes } = file
        ? { bytes: await vscode.workspace.fs.readFile(vscode.Uri.joinPath(this.folder, file)) }
        : await this.deps.fetch(id);
      const head = readImageHead(bytes);
      return head
        ? { type: 'picture', id, mediaType: head.mediaType, data: toBase64(bytes) }
        : { type: 'picture', id, why: 'It cannot be read.' };
    } catch (error) {
      const isLost = error instanceof BackendError && error.kind !== 'refused';
      return { type: 'picture', id, why: isLost ? error.problem.title : 'It is no longer there.' };
    }
  }

  private async prune(): Promise<void> {
    const files = await vscode.workspace.fs.readDirectory(this.folder);
    if (files.length <= MOST_KEPT) return;
    const uris = files.map(([name]) => vscode.Uri.joinPath(this.folder, name));
    const times = await Promise.all(uris.map(async (uri) => (await vscode.workspace.fs.stat(uri)).mtime));
    const oldest = uris.map((uri, i) => ({ uri, at: times[i]! })).sort((a, b) => a.at - b.at);
    for (const { uri } of oldest.slice(0, -MOST_KEPT)) await vscode.workspace.fs.delete(uri);
  }
}

const KEPT = /^image ([0-9a-f]{64})$/;

function decoded(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return fromBase64(base64);
  } catch {
    return undefined;
  }
}

async function readPicture({ label, uri = '' }: StoredChip, maxBytes: number): Promise<Uint8Array> {
  const file = vscode.Uri.parse(uri, true);
  try {
    const { size } = await vscode.workspace.fs.stat(file);
    if (size > maxBytes)
      throw new AttachmentRefused(
        `${label} is too large: ${(size / 1_000_000).toFixed(1)} MB, and a picture may have ${maxBytes / 1_000_000} MB.`,
      );
    return await vscode.workspace.fs.readFile(file);
  } catch (error) {
    if (error instanceof AttachmentRefused) throw error;
    throw new AttachmentRefused(`The picture ${label} is no longer there. Remove it, or attach it again.`);
  }
}

/** A picture as it is sent. Throws `AttachmentRefused`. */
export async function pictureInput(chip: StoredChip): Promise<ImageInput> {
  const bytes = await readPicture(chip, MAX_IMAGE_BYTES);
  const head = readImageHead(bytes);
  if (!head || Math.max(head.width, head.height) > MAX_IMAGE_SIDE)
    throw new AttachmentRefused(`${chip.label} cannot be sent as it is. Remove it, and attach it again.`);
  return { kind: 'image', path: chip.path ?? chip.label, mediaType: head.mediaType, data: toBase64(bytes) };
}

/** Throws a `BackendError` if the model can't see the pictures. The server would refuse them as well, once it has them. */
export function refuseUnseen(chips: readonly StoredChip[], model: Model | undefined): void {
  const pictures = chips.filter(({ kind }) => kind === 'image').length;
  if (!model || model.vision || pictures === 0) return;
  const which = pictures > 1 ? 'the pictures' : 'the picture';
  const detail = `${model.name} reads no pictures. Nothing was sent: choose another model, or remove ${which}.`;
  throw new BackendError('refused', localProblem('This model reads no pictures', detail, 'no_vision'));
}
