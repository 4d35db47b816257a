import assert from 'node:assert/strict';
import { Scene } from './editModel.ts';

const before = 'first();\nsecond();\nthird();\nfourth();\nfifth();\n';

describe('an edit of a selection that is refused', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.dispose());

  it('lets no words of the model become a link in a message', async () => {
    await scene.open(before, 'javascript');
    await scene.ask(1, 4);
    scene.runs.write('I need [the rest](command:workbench.action.quit) of the file first.');
    scene.runs.done();
    assert.doesNotMatch(await scene.messages.next(/answered in words/), /\]\(/);
  });

  it('writes nothing that leaves out code', async () => {
    await scene.open(before, 'javascript');
    await scene.ask(1, 4);
    scene.runs.write('```js\nnext();\n// ... existing code ...\n```\n');
    scene.runs.done();
    await scene.messages.next(/so nothing was changed. .*leaves out code/);
    assert.equal(scene.text, before);
    await scene.until(() => scene.runs.outcomes.length === 1);
    assert.deepEqual(scene.runs.outcomes, [{ applied: 0, refused: 1 }]);
  });
});
