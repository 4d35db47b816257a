// The member's page, as far as it draws answers.
import { renderMarkdown } from '../../../server/web/pages/markdown.ts';

Object.assign(window, { renderMarkdown });
