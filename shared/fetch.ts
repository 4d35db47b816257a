import * as z from 'zod';
import { MAX_ADDRESS } from './constants.ts';
import { textSchema } from './texts.ts';

/** `POST /api/fetch`: a web page to read, by the address that the user typed. */
export const FetchRequestSchema = z
  .object({ url: textSchema(MAX_ADDRESS).min(1).describe('http or https, without a user name, on port 80 or 443') })
  .meta({ id: 'FetchRequest' });

export const FetchedPageSchema = z
  .object({
    url: z.string().describe('where the text came from: the last address, if the first redirected'),
    title: z.string().optional(),
    text: z.string().describe('what a reader sees of it: no markup, no links'),
    readAt: z.iso.datetime(),
  })
  .meta({ id: 'FetchedPage' });
export type FetchedPage = z.infer<typeof FetchedPageSchema>;
