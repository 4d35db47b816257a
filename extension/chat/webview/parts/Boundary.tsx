import { Component, type ComponentChildren } from 'preact';

interface Props {
  /** What is drawn; another value is tried again. */
  of: unknown;
  /** Stands in the place of what could not be drawn. */
  instead: ComponentChildren;
  children: ComponentChildren;
}

/** Nothing that is thrown while the children are drawn reaches beyond this. It is told to the log. */
export class Boundary extends Component<Props, { failedOf?: { of: unknown } }> {
  override componentDidCatch(error: unknown): void {
    this.setState({ failedOf: { of: this.props.of } });
    reportError(error);
  }

  override render({ of, instead, children }: Props): ComponentChildren {
    const { failedOf } = this.state;
    return failedOf && Object.is(failedOf.of, of) ? instead : children;
  }
}
