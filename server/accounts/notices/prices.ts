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
  /** How long before a dearer price counts it has to be announced. */
  noticeDays: number;
}

/** The prices that count, and what members are told of those to come. Before `announce`, the models as the operator lists them. */
export class Prices {
  #notice: () => Notice | null = () => null;

  constructor(public listed: readonly ModelConfig[]) {}

  /** What members are told now. */
  get notice(): Notice | null {
    return this.#notice();
  }

  async announce({ db, log, clock, noticeDays }: AnnounceDeps): Promise<void> {
    const announced = await announcePrices({ db, log, noticeDays }, this.listed, clock.now());
    this.listed = announced;
    this.#notice = tellPrices(announced, clock);
  }
}
