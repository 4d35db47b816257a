import type { Usage } from '../../../../shared/runs.ts';
import { countOf } from '../../../platform/values/numbers.ts';
import { isObject, type Json } from './refused.ts';

/** Usage in OpenAI's form. `reasoningTokens` are a part of the output. */
export function toUsage(usage: Usage, reasoningTokens?: number): Json {
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    ...(reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: Math.min(reasoningTokens, outputTokens) } }),
  };
}

/** The reasoning tokens in a service's usage report, if it has them. */
export function reasoningTokensOf(report: unknown): number | undefined {
  if (!isObject(report)) return undefined;
  const details = report.completion_tokens_details ?? report.output_tokens_details;
  return countOf(isObject(details) ? details.reasoning_tokens : report.reasoning_tokens);
}
