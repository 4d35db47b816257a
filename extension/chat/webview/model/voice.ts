import { spoken } from '../blocks/spoken.ts';
import { type Conversation, runningAnswer } from './conversation.ts';

/** What a screen reader is told of answers: that one began, and what it said, once, when it has ended. */
export class Voice {
  /** The answer that was announced. */
  private announced: string | undefined;

  constructor(private readonly say: (text: string) => void) {}

  /** Another conversation: what was begun in the old one is not told any more. */
  forget(): void {
    this.announced = undefined;
  }

  follow(conversation: Conversation | null): void {
    const running = runningAnswer(conversation);
    if (running && running.id !== this.announced) {
      this.announced = running.id;
      this.say('Answering');
    }
    if (running || !this.announced) return;
    const ended = conversation?.messages.find((m) => m.id === this.announced);
    this.announced = undefined;
    if (!ended) return;
    const how = { complete: 'Answer', stopped: 'Answer, stopped' }[String(ended.state)] ?? 'Answer, broken off';
    // To find the words takes as long as to draw them: they are told after that.
    setTimeout(() => this.say(`${how}: ${spoken(ended.text) || 'empty'}`));
  }
}
