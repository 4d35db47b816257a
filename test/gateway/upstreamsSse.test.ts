import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EventTooLong, MAX_EVENT_LENGTH, SseReader } from '../../server/gateway/upstreams/sse.ts';

/** All events of these pieces of bytes, and what was left at the end. */
function read(...pieces: (string | Uint8Array)[]): { events: string[]; rest: string | null } {
  const reader = new SseReader();
  const events = pieces.flatMap((piece) => reader.feed(Buffer.from(piece as string)));
  return { events, rest: reader.rest() };
}

describe('reading server-sent events', () => {
  it('takes the data of each event', () => {
    assert.deepEqual(read('data: a\n\ndata:b\n\n'), { events: ['a', 'b'], rest: null });
  });

  it('joins several data lines, and skips comments and other fields', () => {
    assert.deepEqual(read(': hi\nevent: x\ndata: a\nid: 1\ndata: b\n\n\n\nretry: 3\n\n').events, ['a\nb']);
  });

  it('takes CR, LF and CRLF, and a byte order mark', () => {
    assert.deepEqual(read('\uFEFFdata: a\r\rdata: b\r\n\r\ndata: c\n\n').events, ['a', 'b', 'c']);
  });

  it('knows what was left at the end', () => {
    assert.equal(read('data: a\n\ndata: b\n').rest, 'b');
    assert.equal(read('data: a\n\ndata: b').rest, 'b');
    assert.equal(read('data: a\n\n:').rest, null);
  });

  it('reads the same in whatever pieces the bytes come', () => {
    const line = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replace(/[\r\n\uFEFF]/g, ''));
    const eol = fc.constantFrom('\n', '\r\n', '\r');
    const cuts = fc.array(fc.nat(), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), eol, cuts, (lines, end, positions) => {
        const bytes = Buffer.from(lines.map((text) => `data: ${text}${end}${end}`).join(''));
        const at = [0, ...positions.map((n) => n % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((to, index) => bytes.subarray(at[index], to));
        assert.deepEqual(
          read(...pieces).events,
          lines.map((text) => Buffer.from(text).toString()),
        );
      }),
    );
  });

  it('gives up an event without end, in time linear to it', () => {
    const reader = new SseReader();
    const piece = Buffer.from('x'.repeat(1000));
    reader.feed(Buffer.from('data: '));
    assert.throws(() => {
      for (let n = 0; n < MAX_EVENT_LENGTH; n += 1000) reader.feed(piece);
    }, EventTooLong);
  });

  it('takes an event in many lines, in time linear to it, in pieces cut after each line', () => {
    const cpuOf = (lines: readonly string[]) => {
      const began = process.cpuUsage();
      const reader = new SseReader();
      const events = lines.flatMap((line) => reader.feed(Buffer.from(line)));
      const { user, system } = process.cpuUsage(began);
      return { us: user + system, events };
    };
    const many = ['data: [1\n', ...Array.from({ length: 10_000 }, () => 'data: ,1\n'), 'data: ]\n', '\n'];
    const alone = many.map(() => 'data: [1]\n\n');
    cpuOf(alone);
    const yardstick = cpuOf(alone);
    const { us, events } = cpuOf(many);
    assert.deepEqual(
      events.map((event) => JSON.parse(event).length),
      [10_001],
    );
    // One that read all of it again with each line would take hundreds of times as long.
    assert.ok(us < 20 * yardstick.us + 200_000, `${us} µs, where as many events take ${yardstick.us}`);
  });
});
