import { spoken } from '../blocks/spoken.ts';
import { type Conversation, runningAnswer } from './conversation.ts';

/** Announces answers to screen readers: that one has begun and, once it has ended, its text. */
export class Voice {
  /** The answer that was last announced. */
  private announced: string | undefined;

  constructor(private readonly say: (text: string) => void) {}

  /** Another conversation is shown: running answers of the old one are not announced any more. */
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
    // Extracting the words takes as long as rendering them, so announce them after the rendering.
    setTimeout(() => this.say(`${how}: ${spoken(ended.text) || 'empty'}`));
  }
}
