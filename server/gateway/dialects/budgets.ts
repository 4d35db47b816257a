import { isObject, type Json } from './chat/refused.ts';

/**
 * Where requests say how many tokens a model may think, or has to write at the least: Anthropic, OpenRouter, Qwen,
 * llama.cpp, vLLM, Google.
 */
const BUDGETS: readonly (readonly string[])[] = [
  ['thinking', 'budget_tokens'],
  ['thinking', 'budgetTokens'],
  ['thinking', 'max_tokens'],
  ['reasoning', 'budget_tokens'],
  ['reasoning', 'max_tokens'],
  ['reasoning', 'max_output_tokens'],
  ['thinking_budget'],
  ['thinking_budget_tokens'],
  ['thinking_token_budget'],
  ['reasoning_budget'],
  ['reasoning_max_tokens'],
  ['max_reasoning_tokens'],
  ['max_thinking_tokens'],
  ['min_tokens'],
  ['chat_template_kwargs', 'thinking_budget'],
  ['extra_body', 'google', 'thinking_config', 'thinking_budget'],
  ['extra_body', 'google', 'thinking_config', 'thinkingBudget'],
];

/** The body with no budget above the output limit, which is all that is held. The same object if there is none. */
export function withinLimit<T extends Json>(body: T, limitTokens: number): T {
  return BUDGETS.reduce((mended, path) => bounded(mended, path, limitTokens) as T, body);
}

function bounded(given: unknown, [field, ...rest]: readonly string[], most: number): unknown {
  if (field === undefined) return typeof given === 'number' && given > most ? most : given;
  if (!isObject(given) || !(field in given)) return given;
  const value = bounded(given[field], rest, most);
  return value === given[field] ? given : { ...given, [field]: value };
}
