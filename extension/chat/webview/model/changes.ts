import type { AnswerChanges, ApplyState, ShownCheckpoint } from '../../protocol.ts';

export type Changes = Record<string, AnswerChanges>;

const none: AnswerChanges = { blocks: {}, checkpoints: [] };

/** The announcement for screen readers when the state of changes differs. Empty if nothing relevant changed. */
export function spokenChanges(old: Changes, now: Changes): string {
  const said = Object.entries(now)
    .flatMap(([id, { blocks, all, checkpoints }]) => {
      const before = old[id] ?? none;
      return [
        ...Object.entries(blocks).map(([block, state]) => sayState(before.blocks[block], state)),
        all ? sayState(before.all, all) : '',
        ...checkpoints.map((one) =>
          sayCheckpoint(
            before.checkpoints.find(({ id }) => id === one.id),
            one,
          ),
        ),
      ];
    })
    .filter((text) => text !== '');
  // Several blocks at once are announced only once.
  return [...new Set(said)].join('. ');
}

function sayState(was: ApplyState | undefined, state: ApplyState): string {
  if (was?.state === state.state) return '';
  switch (state.state) {
    case 'applying':
    case 'applied':
      return '';
    case 'review':
      return 'In review in the editor';
    case 'refused':
      return `Not applied. ${state.why}`;
    case 'nothing':
      return state.why;
    default:
      return state satisfies never;
  }
}

function sayCheckpoint(was: ShownCheckpoint | undefined, is: ShownCheckpoint): string {
  const back = (checkpoint: ShownCheckpoint | undefined) =>
    checkpoint?.files.filter((file) => file.isTakenBack).length ?? 0;
  if (!was) return 'Applied';
  return back(is) > back(was) ? 'Taken back' : back(is) < back(was) ? 'Applied again' : '';
}
