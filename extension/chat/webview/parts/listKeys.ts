/** The keys of a list over the composer: arrows move, Enter and Tab choose, Escape closes. Returns whether it took the key. */
export function listKeys<Item>(
  event: KeyboardEvent,
  list: { items: readonly Item[]; at: number; setAt(at: number): void; choose(item: Item): void; close(): void },
): boolean {
  const { items, at, setAt, choose, close } = list;
  const go = (to: number) => setAt((to + items.length) % items.length);
  if (event.key === 'ArrowDown') go(at + 1);
  else if (event.key === 'ArrowUp') go(at - 1);
  else if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) choose(items[at]!);
  else if (event.key === 'Escape') close();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
