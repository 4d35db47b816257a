/** What the demo model is going to say. `fails`: it breaks off after that text, as a real service may. */
export interface DemoAnswer {
  text: string;
  fails?: boolean;
  /** It ends at its length limit after that text, wherever the limit of the request is. */
  cutShort?: boolean;
  /** Times as long between two pieces. */
  slower?: number;
}
