import type { Surroundings } from '../../protocol.ts';
import { count, counted, fileName, OWN_INSTRUCTIONS } from '../format.ts';
import { useChat } from '../model/context.ts';
import { attachedTokens } from '../model/forecast.ts';
import { Icon, IconButton } from '../parts/Icon.tsx';
import { Menu, type MenuItem } from '../parts/Menu.tsx';

type Shown = NonNullable<Surroundings['instructions']>;

/** The instructions that go along with the next message: which, what each costs, and what is left out and why. */
export function InstructionsChip({ files, leftOut, isOut }: Shown) {
  const chat = useChat();
  const turn = (on: boolean) => {
    chat.host.post({ type: 'instructions', on });
    chat.say(on ? 'Instructions go along' : 'Instructions do not go along');
    chat.focusComposer();
  };
  if (isOut)
    return (
      <li class="chip implicit out">
        <button type="button" class="plain" title="Send instructions along" onClick={() => turn(true)}>
          <Icon name="add" />
          <span class="label">Instructions</span>
        </button>
      </li>
    );
  const name = labelOf(files);
  const words = `Instructions: ${name}, ${sizeOf(files)}${leftOut.length > 0 ? `, ${leftOut.length} not whole` : ''}`;
  const open = (path: string | undefined) =>
    path ? chat.host.post({ type: 'openFile', path }) : chat.command('openInstructions');
  const items: MenuItem[] = [
    ...files.map(({ path, tokens, isSent }): MenuItem => {
      const label = nameOf(path);
      const notes = path && label !== path ? [path] : undefined;
      const detail = isSent ? 'this chat has it' : `${count(tokens)} tokens`;
      const run = () => open(path);
      return { id: path ?? '', label, notes, icon: path ? 'file' : 'account', detail, run };
    }),
    ...leftOut.map(({ path, why }, at): MenuItem => {
      const begins = at === 0 && files.length > 0;
      const run = () => open(path);
      return { id: `out ${path ?? ''}`, label: nameOf(path), icon: 'circle-slash', notes: [why], begins, run };
    }),
  ];
  return (
    <li class="chip implicit">
      <Menu label={words} side="over" class="plain" items={items}>
        <Icon name={files.length > 0 ? 'book' : 'circle-slash'} />
        <span class="label">{name}</span>
      </Menu>
      {files.length > 0 && <span class="size">{sizeOf(files)}</span>}
      <IconButton icon="close" label="Leave out instructions in this chat" onClick={() => turn(false)} />
    </li>
  );
}

const nameOf = (path: string | undefined) => (path ? fileName(path) : OWN_INSTRUCTIONS);

function labelOf(files: Shown['files']): string {
  const [first] = files;
  if (!first) return 'Instructions';
  if (files.length > 1) return counted(files.length, 'instruction');
  return nameOf(first.path);
}

/** What they cost with the next message. */
function sizeOf(files: Shown['files']): string {
  const tokens = attachedTokens([], { files, leftOut: [] });
  return files.length > 0 && files.every(({ isSent }) => isSent) ? 'sent before' : counted(tokens, 'token');
}
