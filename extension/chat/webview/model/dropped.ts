import { MAX_ATTACHMENTS, MAX_TEXT } from '../../../../shared/constants.ts';
import type { Chat } from './chat.ts';

/**
 * Attaches files that are pasted or dropped anywhere in the view, or shows why not. The browser must never open one in
 * place of the view. Returns a function that stops it.
 */
export function takeFiles(chat: Chat): () => void {
  const onPaste = (event: ClipboardEvent) => event.clipboardData && take(event.clipboardData, event);
  const onDrop = (event: DragEvent) => event.dataTransfer && take(event.dataTransfer, event);
  const take = (data: DataTransfer, event: Event) => {
    const { files, uris } = filesOf(data);
    if (files.length + uris.length === 0) return;
    event.preventDefault();
    const isInEdit = (event.target as Element).closest?.('.editing') != null;
    const to = isInEdit && chat.state.editing ? { to: chat.state.editing.messageId } : {};
    void attach(chat, files, uris, to);
  };
  // Without it the browser does not allow dropping files.
  const onDragOver = (event: DragEvent) => {
    if (event.dataTransfer?.types.some((type) => type === 'Files' || URI_LISTS.includes(type))) event.preventDefault();
  };
  document.addEventListener('paste', onPaste);
  document.addEventListener('drop', onDrop);
  document.addEventListener('dragover', onDragOver);
  return () => {
    document.removeEventListener('paste', onPaste);
    document.removeEventListener('drop', onDrop);
    document.removeEventListener('dragover', onDragOver);
  };
}

/** The types that the editor's own lists and other programs use. */
const URI_LISTS = ['application/vnd.code.uri-list', 'text/uri-list'];

function filesOf(data: DataTransfer): { files: File[]; uris: string[] } {
  const list = URI_LISTS.map((type) => data.getData(type)).find((text) => text !== '') ?? '';
  const addresses = list.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  // A link is inserted as text.
  const uris = addresses.filter((address) => !/^(?:https?|mailto|data|blob):/i.test(address));
  const files = [...data.files];
  // Table cells and the like come both as text and as a picture.
  if (data.getData('text/plain').trim() !== '' && files.every(isPicture)) files.length = 0;
  // The editor reads its own files as they are, including unsaved changes.
  return uris.length > 0 ? { files: [], uris } : { files, uris };
}

async function attach(chat: Chat, files: File[], uris: string[], to: { to?: string }): Promise<void> {
  const refusals: string[] = [];
  const many = Math.max(files.length, uris.length);
  if (many > MAX_ATTACHMENTS) refusals.push(`You added ${many} files. The first ${MAX_ATTACHMENTS} are attached.`);
  if (uris.length > 0) chat.host.post({ type: 'attachFiles', uris: uris.slice(0, MAX_ATTACHMENTS), ...to });
  for (const file of files.slice(0, MAX_ATTACHMENTS)) {
    const name = file.name.slice(-255) || 'pasted';
    if (isPicture(file)) {
      const why = await chat.pictures.attach(file, name, to);
      if (why) refusals.push(`${name} ${why}`);
      continue;
    }
    const read = await textOf(file);
    if ('why' in read) refusals.push(`${name} ${read.why}`);
    else chat.host.post({ type: 'attachText', name, text: read.text, ...to });
  }
  if (refusals.length > 0) chat.hint(refusals.join(' '));
}

async function textOf(file: File): Promise<{ text: string } | { why: string }> {
  const tooLarge = { why: 'is too large: at most 1 MB can be attached. Attach the part that matters.' };
  // UTF-16 has 2 bytes a character.
  if (file.size > 4 * MAX_TEXT) return tooLarge;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const [first, second] = bytes;
    const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
    if (!isUtf16 && bytes.subarray(0, 8000).includes(0)) return BINARY;
    const encoding = isUtf16 ? (first === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8';
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.length > MAX_TEXT ? tooLarge : { text };
  } catch (error) {
    // A folder has no bytes to read.
    return error instanceof TypeError ? BINARY : { why: 'can’t be read. If it is a folder, attach the files in it.' };
  }
}

const BINARY = { why: 'is a binary file. Only text can be attached.' };

const isPicture = ({ type }: File) => type.startsWith('image/') && type !== 'image/svg+xml';
