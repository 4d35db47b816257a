import * as vscode from 'vscode';
import type { ChatLook } from './protocol.ts';

/** The look that the settings ask for. A value that makes no sense counts as unset. */
export function chatLook(): ChatLook {
  const settings = vscode.workspace.getConfiguration('perigee.chat');
  const size = Number(settings.get<unknown>('fontSize'));
  const family = String(settings.get<unknown>('fontFamily') ?? '').trim();
  return {
    sendWith: settings.get<unknown>('sendWith') === 'Ctrl+Enter' ? 'Ctrl+Enter' : 'Enter',
    ...(size >= 6 && size <= 100 && { fontSize: size }),
    // Names, and nothing that is more to CSS than a name.
    ...(/^[\p{L}\p{N} ,'"._-]{1,300}$/u.test(family) && { fontFamily: family }),
  };
}
