import type { ThinkingField } from '../../platform/config/thinkingConfig.ts';

/** The fields of a chat-completions request that ask for an effort. */
export function thinkingFields(field: ThinkingField, effort: string): Record<string, unknown> {
  if (field === 'reasoning_effort') return { reasoning_effort: effort };
  if (effort === 'off') return { thinking: { type: 'disabled' } };
  const thinking = { type: 'enabled' };
  return effort === 'on' ? { thinking } : { thinking, reasoning_effort: effort };
}
