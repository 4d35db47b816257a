/** The answer that the demo model gives. `fails`: it breaks off after that text, as a real service may. */
export interface DemoAnswer {
  text: string;
  fails?: boolean;
  /** It ends at its length limit after that text, whatever the request's limit is. */
  cutShort?: boolean;
  /** Factor for the delay between two pieces. */
  slower?: number;
}
