import { MICRO_PER_CREDIT } from '../../shared/constants.ts';
import { isOffered, type Offers } from '../account/offers.ts';
import type { Session } from '../account/session/session.ts';
import type { SessionState } from '../account/session/state.ts';
import type { Backend } from '../backend.ts';
import { type StoredChip, shownChip } from './context/attachments.ts';
import { chatLook } from './look.ts';
import type { ModelChoice } from './modelChoice.ts';
import type { Connection, Suggestion, Surroundings } from './protocol.ts';
import type { ChatView } from './view.ts';

/** The session's state as the chat shows it. */
function connectionOf(state: SessionState): Connection {
  switch (state.kind) {
    case 'signedOut':
      return {
        state: 'signedOut',
        detail: state.detail,
        isMember: state.was === 'member',
        isNew: state.why === 'new',
      };
    case 'offline':
    case 'wrongServer':
      return { state: state.kind, detail: state.detail };
    default:
      return { state: state.kind };
  }
}

function toldBy({ notices }: Session): Pick<Surroundings, 'told'> {
  const told = notices.filter(({ kind }) => kind === 'operator').map(({ id, text }) => ({ id, text }));
  return told.length > 0 ? { told } : {};
}

/** Sends the conversation's surroundings to the view when they change. */
export class SurroundingsTeller {
  private told = '';

  constructor(
    private readonly session: Session,
    private readonly offers: Offers,
    private readonly backend: Backend,
    private readonly view: ChatView,
    private readonly models: ModelChoice,
    private readonly editor: { suggestions: Suggestion[]; attachable: Surroundings['attachable'] },
  ) {}

  /**
   * `chips` are sent with the next message, `leftOut` is not. The chips of `edited` belong to an earlier message.
   * `contextTokens` is the size of the conversation so far.
   */
  tell(of: {
    chips: StoredChip[];
    leftOut: Surroundings['leftOut'];
    instructions: Surroundings['instructions'];
    commands: Surroundings['commands'];
    edited: { messageId: string; chips: StoredChip[] } | undefined;
    contextTokens: number;
    pinned: true | undefined;
  }): void {
    const { chips, leftOut, instructions, commands, edited, contextTokens, pinned } = of;
    const { session, models, editor, view } = this;
    const { options } = this.offers;
    const value: Surroundings = {
      connection: connectionOf(session.state),
      account: session.account,
      balance: session.balance,
      models: models.models,
      modelId: models.id,
      effort: models.effort,
      chips: chips.map(shownChip),
      ...(edited && { edited: { messageId: edited.messageId, chips: edited.chips.map(shownChip) } }),
      attachable: editor.attachable,
      leftOut,
      instructions,
      commands,
      suggestions: editor.suggestions.map(({ id, icon, label }) => ({ id, icon, label })),
      contextTokens,
      pinned,
      signInCredits: options && isOffered(options) ? options.bonusMicro / MICRO_PER_CREDIT : undefined,
      guests: options?.guests,
      device: this.backend.device,
      look: chatLook(),
      ...toldBy(session),
    };
    const telling = JSON.stringify(value);
    if (telling === this.told || !view.isListening) return;
    this.told = telling;
    view.post({ type: 'surroundings', value });
  }

  /** A new page was loaded, and it has no data yet. */
  forget(): void {
    this.told = '';
  }
}
