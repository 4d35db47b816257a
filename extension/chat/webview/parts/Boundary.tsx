import { Component, type ComponentChildren } from 'preact';

interface Props {
  /** The drawn value. A different value is tried again. */
  of: unknown;
  /** Shown if the children can't be drawn. */
  instead: ComponentChildren;
  children: ComponentChildren;
}

/** An error boundary: an error while the children are drawn goes no further. It is sent to the log. */
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
