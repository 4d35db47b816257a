import type { Notice } from '../../../shared/account.ts';
import { announcePrices } from '../../credits/prices/announcements.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ModelConfig } from '../../platform/config/config.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import { tellPrices } from './priceNotice.ts';

interface AnnounceDeps {
  db: Database;
  log: Log;
  clock: Clock;
  /** How many days before it takes effect a higher price must be announced. */
  noticeDays: number;
}

/** The prices in force, and the notice to members about coming ones. Before `announce`, the operator's own list. */
export class Prices {
  #notice: () => Notice | null = () => null;

  constructor(public listed: readonly ModelConfig[]) {}

  /** The current notice to members. */
  get notice(): Notice | null {
    return this.#notice();
  }

  async announce({ db, log, clock, noticeDays }: AnnounceDeps): Promise<void> {
    const announced = await announcePrices({ db, log, noticeDays }, this.listed, clock.now());
    this.listed = announced;
    this.#notice = tellPrices(announced, clock);
  }
}
