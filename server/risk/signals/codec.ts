import { Reader, Writer } from './bytes.ts';
import { HOURS } from './hours.ts';
import { COUNTERS, emptySketch, type Sketch, TIMED } from './sketch.ts';
import type { Days } from './time.ts';
import type { Root, Workspace } from './workspaces.ts';

/** Of the layout below. A sketch of another version is forgotten: signals are younger than a version of the server. */
const VERSION = 2;
const NO_WORKSPACE = 255;

/** At most 20 KB: 64 projects of 32 files each are 12 KB of it. */
export function encode(sketch: Sketch): Buffer {
  const to = new Writer();
  const days = ({ day, bits }: Days) => {
    to.u16(day);
    to.u16(bits);
  };
  to.u8(VERSION);
  to.u32(sketch.firstS);
  to.u32(sketch.lastS);
  to.u32(sketch.decayedS);
  for (const name of COUNTERS) to.f32(sketch.counters[name]);
  for (const name of TIMED) {
    to.u32(sketch.times[name].firstS);
    to.u32(sketch.times[name].lastS);
  }
  to.list(sketch.workspaces.list, (one: Workspace) => {
    to.list(one.files, ({ file, count }) => {
      to.u32(file);
      to.u8(count);
    });
    to.u32(one.firstS);
    to.u32(one.lastS);
    days(one.days);
    to.f32(one.turns);
    to.list(one.clients, ({ client, count }) => {
      to.u32(client);
      to.u8(count);
    });
    to.list(one.languages, (turns) => to.f32(turns));
  });
  to.list(sketch.workspaces.roots, ({ root, workspace, files, lastS, followUps }: Root) => {
    to.u32(root);
    to.u8(workspace ? sketch.workspaces.list.indexOf(workspace) : NO_WORKSPACE);
    to.list(files, (file) => to.u32(file));
    to.u32(lastS);
    to.u8(followUps);
  });
  to.list(sketch.clients.list, ({ client, machine, isDevice, lastS }) => {
    to.u32(client);
    to.u8(machine);
    to.u32(lastS);
    to.u8(isDevice ? 1 : 0);
  });
  to.list(sketch.turns.recent, ({ atS, root, client, isFirst, isJudged }) => {
    for (const value of [atS, root, client]) to.u32(value);
    to.u8((isFirst ? 2 : 0) | (isJudged ? 1 : 0));
  });
  const { pairs, crossings, near, middle, spreads, crowds } = sketch.turns.seen;
  for (const value of [pairs, crossings, near, middle]) to.f32(value);
  to.list(spreads, (turns) => to.f32(turns));
  to.list(crowds, (turns) => to.f32(turns));
  to.bytes(sketch.hours.turns);
  to.u32(sketch.hours.last);
  to.list(sketch.identities.devices, ({ device, claims, before, changedS, lastS, accounts }) => {
    for (const value of [device, claims, before, changedS, lastS]) to.u32(value);
    to.u8(accounts);
  });
  to.list(sketch.identities.contradictions, (one) => {
    to.f32(one.times);
    days(one.days);
    to.u8(one.family);
  });
  to.list(sketch.templates, ({ template, count, lastS }) => {
    to.u32(template);
    to.u8(count);
    to.u32(lastS);
  });
  return to.done();
}

/** The sketch that was encoded; an empty one if it is of another version. Throws a `RangeError` if it is cut short. */
export function decode(buffer: Buffer): Sketch {
  const sketch = emptySketch();
  const from = new Reader(buffer);
  if (buffer.length === 0 || from.u8() !== VERSION) return sketch;
  const days = (): Days => ({ day: from.u16(), bits: from.u16() });
  const floats = () => from.list(() => from.f32());
  const { workspaces, clients, turns, hours, identities } = sketch;
  sketch.firstS = from.u32();
  sketch.lastS = from.u32();
  sketch.decayedS = from.u32();
  for (const name of COUNTERS) sketch.counters[name] = from.f32();
  for (const name of TIMED) sketch.times[name] = { firstS: from.u32(), lastS: from.u32() };
  workspaces.list = from.list(() => ({
    files: from.list(() => ({ file: from.u32(), count: from.u8() })),
    firstS: from.u32(),
    lastS: from.u32(),
    days: days(),
    turns: from.f32(),
    clients: from.list(() => ({ client: from.u32(), count: from.u8() })),
    languages: floats(),
  }));
  workspaces.roots = from.list(() => ({
    root: from.u32(),
    workspace: workspaces.list[from.u8()] ?? null,
    files: from.list(() => from.u32()),
    lastS: from.u32(),
    followUps: from.u8(),
  }));
  clients.list = from.list(() => ({
    client: from.u32(),
    machine: from.u8(),
    lastS: from.u32(),
    isDevice: from.u8() === 1,
  }));
  turns.recent = from.list(() => {
    const [atS, root, client, bits] = [from.u32(), from.u32(), from.u32(), from.u8()];
    return { atS, root, client, isFirst: (bits & 2) !== 0, isJudged: (bits & 1) !== 0 };
  });
  const [pairs, crossings, near, middle] = [from.f32(), from.f32(), from.f32(), from.f32()];
  turns.seen = { pairs, crossings, near, middle, spreads: floats(), crowds: floats() };
  hours.turns = from.bytes(HOURS);
  hours.last = from.u32();
  identities.devices = from.list(() => ({
    device: from.u32(),
    claims: from.u32(),
    before: from.u32(),
    changedS: from.u32(),
    lastS: from.u32(),
    accounts: from.u8(),
  }));
  identities.contradictions = from.list(() => ({ times: from.f32(), days: days(), family: from.u8() }));
  sketch.templates = from.list(() => ({ template: from.u32(), count: from.u8(), lastS: from.u32() }));
  return sketch;
}
