import type { Usage } from '../../../shared/runs.ts';
import { countOf } from '../../platform/values/numbers.ts';

/** Usage as it is billed. `isMended`: its parts did not add up to the total that the service itself gave. */
export interface ReadUsage {
  usage: Usage;
  isMended: boolean;
}

/**
 * The usage in a report, in the names of OpenAI, Anthropic, Moonshot, DeepSeek and Ollama; undefined where it is only half of
 * one, or not of counts. Explicit zeros are a report. Where the service gives a total, no more than that is billed:
 * - parts that stand beside others instead of within them (reasoning, what a cache had) are found by the total;
 * - a missing part is the rest of the total;
 * - a rest that no part explains is output, for that is what services leave out, and the usage is marked as estimated;
 * - parts beyond the total are cut, the dearer output first, and the usage is marked as estimated.
 */
export function readReport(report: Record<string, unknown>): ReadUsage | undefined {
  const total = countOf(report.total_tokens);
  let input = countOf(report.prompt_tokens ?? report.input_tokens ?? report.prompt_eval_count);
  let output = countOf(report.completion_tokens ?? report.output_tokens ?? report.eval_count);
  if (total !== undefined && input === undefined && output !== undefined) input = Math.max(0, total - output);
  if (total !== undefined && output === undefined && input !== undefined) output = Math.max(0, total - input);
  if (input === undefined || output === undefined) return undefined;

  const inputDetails = object(report.prompt_tokens_details ?? report.input_tokens_details);
  const outputDetails = object(report.completion_tokens_details ?? report.output_tokens_details);
  const first = (...values: unknown[]) =>
    values.map((value) => countOf(value)).find((count) => count !== undefined) ?? 0;
  // In this order: OpenAI; Moonshot; DeepSeek; Anthropic.
  const cached = first(
    inputDetails.cached_tokens,
    report.cached_tokens,
    report.prompt_cache_hit_tokens,
    report.cache_read_input_tokens,
  );
  const written = first(report.cache_creation_input_tokens);
  const reasoning = first(outputDetails.reasoning_tokens, report.reasoning_tokens);

  const billed = (inputTokens: number, outputTokens: number, isMended = false): ReadUsage => ({
    usage: {
      inputTokens,
      cachedInputTokens: Math.min(cached, inputTokens),
      outputTokens,
      estimated: isMended,
    },
    isMended,
  });
  // Anthropic's own names say that what its cache had stands beside the rest.
  const isBeside = report.prompt_tokens === undefined && 'cache_read_input_tokens' in report;
  const inputs = isBeside
    ? [input + cached + written, input]
    : [input, input + cached, input + cached + written, input + written];
  const outputs = [output, output + reasoning];
  if (total === undefined) {
    // Nothing can be part of less than itself.
    const isOutputBeside = reasoning > output;
    return billed(inputs[0]!, isOutputBeside ? output + reasoning : output, isOutputBeside);
  }
  for (const outputTokens of outputs)
    for (const inputTokens of inputs)
      if (inputTokens + outputTokens === total) return billed(inputTokens, outputTokens);
  if (total > input + output) return billed(input, total - input, true);
  const inputTokens = Math.min(input, total);
  return billed(inputTokens, total - inputTokens, true);
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
