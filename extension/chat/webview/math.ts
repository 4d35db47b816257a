// A separate script: most answers have no math, and the library is half as large as the rest of the view.
import temml from 'temml/temml.js';
import { MATH_OPTIONS, type ReadMath, safeMath } from '../../../shared/answers/mathTree.ts';

const read: ReadMath = (tex, displayMode) =>
  safeMath(temml.__renderToMathMLTree(tex, { ...MATH_OPTIONS, displayMode }));
(globalThis as { perigeeMath?: ReadMath }).perigeeMath = read;
