import { Component, type ReactNode } from 'react';
import { ErrorBanner } from '../components/index.ts';
import { asReport } from '../stores/errors.ts';

/** A panel that fails to draw says so; the rest of the studio and the run go on. (React knows boundaries only as classes.) */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="boundary">
        <ErrorBanner
          report={asReport(this.state.error)}
          action={{ label: 'Draw it again', run: () => this.setState({ error: undefined }) }}
        />
      </div>
    );
  }
}
