import type { Usage } from '../../../shared/runs.ts';
import { countOf } from '../../platform/values/numbers.ts';

/** Usage as it is billed. `isMended`: the parts did not add up to the service's own total. */
export interface ReadUsage {
  usage: Usage;
  isMended: boolean;
}

/**
 * Reads a usage report that uses the names of OpenAI, Anthropic, Moonshot, DeepSeek or Ollama. Returns undefined if
 * half of it is missing or a value is no count. Explicit zeros are a report. If the service gives a total, the bill
 * never exceeds it:
 * - the total tells whether a part (reasoning, cached input) is included in another part or comes on top of it;
 * - a missing part is the rest of the total;
 * - a rest that no part explains is output, the part that services omit, and the usage is marked as estimated;
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
  // With Anthropic's names, cached input comes on top of the other input.
  const isBeside = report.prompt_tokens === undefined && 'cache_read_input_tokens' in report;
  const inputs = isBeside
    ? [input + cached + written, input]
    : [input, input + cached, input + cached + written, input + written];
  const outputs = [output, output + reasoning];
  if (total === undefined) {
    // A part can't be larger than its whole.
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
