import { useState } from 'preact/hooks';
import type { Dossier } from '../../../../shared/risk.ts';
import { counted } from '../../kit/format.ts';

type Project = NonNullable<Dossier['projects']>[number];

const FEW = 12;
/** How many colours there are; groups beyond share them, and keep their letter. */
const COLOURS = 6;

/** A, B, …, Z, A2, … */
const letterOf = (n: number) => String.fromCharCode(65 + (n % 26)) + (n >= 26 ? Math.floor(n / 26) + 1 : '');

const colourOf = (index: number) => (index < 0 ? 'of-none' : `of-${index % COLOURS}`);

/** The projects by their turns, coloured by the group of clients that works on them. Their names are not known. */
export function Projects({ projects }: { projects: readonly Project[] }) {
  const [isAll, setAll] = useState(false);
  // Group 0: too few turns to tell.
  const groups = [...new Set(projects.map(({ group }) => group).filter((group) => group !== 0))];
  const most = Math.max(1, ...projects.map(({ turns }) => turns));
  const shown = isAll ? projects : projects.slice(0, FEW);
  return (
    <section aria-labelledby="projects">
      <h2 id="projects">Projects</h2>
      <p class="soft">
        {counted(projects.length, 'project')} in {counted(groups.length, 'group')} of clients that share none. Their
        names and files are not known here.
      </p>
      <ol class="projects">
        {shown.map(({ turns, days, clients, group }, n) => {
          const index = groups.indexOf(group);
          return (
            <li key={n}>
              <span
                class={`group ${colourOf(index)}`}
                title={index < 0 ? 'too few turns to tell' : `group ${letterOf(index)}`}
              >
                <span class="hidden">{index < 0 ? 'no group' : 'group '}</span>
                {index < 0 ? '' : letterOf(index)}
              </span>
              <span class="weight-track" aria-hidden="true">
                <span class={`weight ${colourOf(index)}`} style={{ width: `${(100 * turns) / most}%` }} />
              </span>
              <span class="number">
                {counted(turns, 'turn')} · {counted(days, 'day')} · {counted(clients, 'client')}
              </span>
            </li>
          );
        })}
      </ol>
      {projects.length > FEW && !isAll && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Show all {projects.length}
        </button>
      )}
    </section>
  );
}
