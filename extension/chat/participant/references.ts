import * as vscode from 'vscode';
import { type AttachmentInput, MAX_ATTACHMENTS } from '../../../shared/runs.ts';
import { whyNotUnasked } from '../../platform/unasked.ts';
import { AttachmentRefused, chipInput, fileChip, partChip, type StoredChip, textChip } from '../context/attachments.ts';

export interface Referred {
  attachments: AttachmentInput[];
  /** The files among them. */
  files: vscode.Uri[];
  /** Why others are not sent, each in sentences. */
  leftOut: string[];
}

/**
 * What the references of a question attach. VS Code also adds references by itself, and does not say which. So each is
 * judged like a file that nobody chose: none that may hold secrets, is ignored or lies outside the workspace is sent.
 */
export async function referred(references: readonly vscode.ChatPromptReference[]): Promise<Referred> {
  const found: Referred = { attachments: [], files: [], leftOut: [] };
  // The last one in the question comes first here.
  for (const reference of references.toReversed()) {
    try {
      if (found.attachments.length >= MAX_ATTACHMENTS)
        throw new AttachmentRefused(`A question holds ${MAX_ATTACHMENTS} references. The others stay out.`);
      const uri = fileOf(reference.value);
      const why = uri && (await whyNotUnasked(uri));
      if (why) throw new AttachmentRefused(`${why} To do so, use Perigee’s own chat.`);
      found.attachments.push(await chipInput(await chipOf(reference)));
      if (uri) found.files.push(uri);
    } catch (error) {
      if (!(error instanceof AttachmentRefused)) throw error;
      if (!found.leftOut.includes(error.message)) found.leftOut.push(error.message);
    }
  }
  return found;
}

function fileOf(value: unknown): vscode.Uri | undefined {
  if (value instanceof vscode.Uri) return value;
  return value instanceof vscode.Location ? value.uri : undefined;
}

async function chipOf({ value, modelDescription, id }: vscode.ChatPromptReference): Promise<StoredChip> {
  if (value instanceof vscode.Uri) return fileChip(value);
  if (typeof value === 'string') return textChip(modelDescription ?? 'Reference', value, undefined);
  if (!(value instanceof vscode.Location))
    throw new AttachmentRefused(`The reference "${id.slice(0, 60)}" is neither a file nor a text, so it is not sent.`);
  const document = await open(value.uri);
  // Whole lines, as everywhere: the model is told their numbers.
  const { start, end } = value.range;
  const lines = { start: start.line, end: Math.min(end.line, document.lineCount - 1) };
  return partChip(
    document,
    lines,
    document.getText(new vscode.Range(lines.start, 0, lines.end, Number.MAX_SAFE_INTEGER)),
  );
}

async function open(uri: vscode.Uri): Promise<vscode.TextDocument> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    throw new AttachmentRefused(`${name} can't be read as a text, so it is not sent.`);
  }
}
