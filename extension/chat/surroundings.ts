import type { Session, SessionState } from '../account/session.ts';
import { type StoredChip, shownChip } from './attachments.ts';
import type { ModelChoice } from './modelChoice.ts';
import type { Connection, Suggestion, Surroundings } from './protocol.ts';

/** The session's state as the chat shows it. */
export function connectionOf(state: SessionState): Connection {
  switch (state.kind) {
    case 'signedOut':
      return { state: 'signedOut', detail: state.detail };
    case 'offline':
    case 'wrongServer':
      return { state: state.kind, detail: state.detail };
    default:
      return { state: state.kind };
  }
}

export function surroundingsOf(parts: {
  connection: Connection;
  session: Session;
  models: ModelChoice;
  chips: StoredChip[];
  suggestions: Suggestion[];
  contextTokens: number;
  device: string;
}): Surroundings {
  const { connection, session, models, contextTokens, device } = parts;
  return {
    connection,
    account: session.account,
    balance: session.balance,
    models: models.models,
    modelId: models.id,
    chips: parts.chips.map(shownChip),
    suggestions: parts.suggestions.map(({ id, icon, label }) => ({ id, icon, label })),
    contextTokens,
    device,
  };
}
