import * as vscode from 'vscode';
import { type AttachmentInput, MAX_ATTACHMENTS } from '../../../shared/runs.ts';
import { AttachmentRefused, chipInput, type StoredChip } from './attachments.ts';
import { readFolder } from './folders.ts';
import type { FoundContext } from './foundContext.ts';
import { pictureInput } from './pictures.ts';

/**
 * What the chips of a question attach, as it is now. `text`: the question's; `kept`: attachments besides. Throws
 * `AttachmentRefused`, which names the chip.
 */
export async function chipInputs(
  chips: readonly StoredChip[],
  { text, kept }: { text: string; kept: number },
  found: Pick<FoundContext, 'pieces'>,
): Promise<AttachmentInput[]> {
  const many = kept + chips.length;
  if (many > MAX_ATTACHMENTS)
    throw new AttachmentRefused(`A message holds ${MAX_ATTACHMENTS} attachments; this one has ${many}. Remove some.`);
  const taken = new Set(chips.flatMap(({ kind, uri }) => (kind === 'file' && uri ? [uri] : [])));
  // A folder and the workspace become several attachments: they share what the others leave.
  let room = MAX_ATTACHMENTS - many;
  const several = async (chip: StoredChip): Promise<AttachmentInput[]> => {
    if (chip.kind === 'found') return found.pieces(text, room + 1, taken);
    if (chip.kind === 'image') return [await pictureInput(chip)];
    if (chip.kind !== 'folder') return [await chipInput(chip)];
    const { inputs, uris } = await readFolder(vscode.Uri.parse(chip.uri ?? '', true), room, taken);
    for (const uri of uris) taken.add(uri);
    return inputs;
  };
  const inputs: AttachmentInput[] = [];
  for (const chip of inOrder(chips)) {
    try {
      const own = await several(chip);
      room -= own.length - 1;
      inputs.push(...own);
    } catch (error) {
      if (error instanceof AttachmentRefused) error.chipId = chip.id;
      throw error;
    }
  }
  return inputs;
}

/** The search comes last: it leaves out the files that go along whole. */
const inOrder = (chips: readonly StoredChip[]) => [
  ...chips.filter(({ kind }) => kind !== 'found'),
  ...chips.filter(({ kind }) => kind === 'found'),
];
