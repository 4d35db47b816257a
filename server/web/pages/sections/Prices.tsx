import type { Model, ModelsAnswer, Price } from '../../../../shared/models.ts';
import { exactCredits, inCredits } from '../../../../shared/money/amounts.ts';
import { count, dayOf } from '../../kit/format.ts';
import { useResource } from '../../kit/live.ts';
import { Failure, Loading } from '../../kit/parts.tsx';

type Rates = Pick<Extract<Price, { mode: 'tokens' }>, 'inputMicro' | 'cachedInputMicro' | 'outputMicro'>;

/** The price of each model: current, for long requests, and announced. */
export function Prices() {
  const models = useResource<ModelsAnswer>('/api/models', []);
  return (
    <>
      <h2>What answers cost</h2>
      {models.failure && <Failure failure={models.failure} again={models.reload} />}
      {!models.value && !models.failure && <Loading />}
      {models.value?.models.length === 0 && <p class="soft">No model is offered now.</p>}
      {models.value && models.value.models.length > 0 && (
        <>
          <p class="soft">
            {models.value.models.some(({ price }) => price.mode === 'tokens') &&
              'In credits for 1 million tokens, as the model counts them. What the model service still knows from before, cached, costs less. '}
            What fails costs nothing.
          </p>
          {/* Focusable, because it scrolls. */}
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
          <section class="scroll" tabIndex={0} aria-label="Prices by model">
            <table>
              <thead>
                <tr>
                  <th scope="col">Model</th>
                  <th scope="col">In</th>
                  <th scope="col">In, cached</th>
                  <th scope="col">Out</th>
                </tr>
              </thead>
              <tbody>{models.value.models.map(rowsOf)}</tbody>
            </table>
          </section>
        </>
      )}
    </>
  );
}

function rowsOf({ id, name, price, nextPrice }: Model) {
  return [
    ...pricesOf(id, name, price),
    ...(nextPrice ? pricesOf(`${id} later`, `${name}, from ${dayOf(nextPrice.from)}`, nextPrice.price) : []),
  ];
}

function pricesOf(key: string, name: string, price: Price) {
  if (price.mode === 'flat')
    return [
      <tr key={key}>
        <th scope="row">{name}</th>
        <td colSpan={3}>{inCredits(price.runMicro)} a message</td>
      </tr>,
    ];
  const row = (more: string, { inputMicro, cachedInputMicro, outputMicro }: Rates) => (
    <tr key={key + more}>
      <th scope="row">
        {name}
        {more && <span class="soft">{more}</span>}
      </th>
      <td>{exactCredits(inputMicro)}</td>
      <td>{exactCredits(cachedInputMicro)}</td>
      <td>{exactCredits(outputMicro)}</td>
    </tr>
  );
  const tiers = price.tiers ?? [];
  return [row('', price), ...tiers.map((tier) => row(`, above ${count(tier.aboveInputTokens)} tokens in`, tier))];
}
