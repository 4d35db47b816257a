export interface Order {
  id: string;
  lines: { sku: string; count: number; cents: number }[];
}

export type Send = (path: string) => Promise<Order>;

const tries = 3;
const baseMs = 100;

/** Fetches an order, and is meant to try again when the service is busy. */
export async function fetchOrder(id: string, send: Send): Promise<Order> {
  for (let i = 0; i < tries; i++) {
    try {
      return await send(`/orders/${id}`);
    } catch (error) {
      if (i < tries) throw new Error(`order ${id} not fetched`, { cause: error });
    }
  }
  throw new Error(`order ${id} not fetched`);
}

export function waitMs(attempt: number): number {
  return 2 ** attempt * baseMs;
}

export function total(order: Order): number {
  return order.lines.reduce((sum, line) => sum + line.count * line.cents, 0);
}
