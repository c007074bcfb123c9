import { type ReactNode, useId } from 'react';
import './sections.css';

/** One part of a station's page: a heading, what may be pressed beside it, and its content under a hairline. */
export function Section({
  title,
  note,
  aside,
  children,
}: {
  title: string;
  /** One or two sentences under the heading. */
  note?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {aside && <div className="section-aside">{aside}</div>}
        {note && <p>{note}</p>}
      </div>
      {children}
    </section>
  );
}

/** Controls on the left, what they do on the right; one under the other where there is no room. */
export function Pair({ controls, effect }: { controls: ReactNode; effect: ReactNode }) {
  return (
    <div className="pair">
      <div className="pair-controls">{controls}</div>
      <div className="pair-effect">{effect}</div>
    </div>
  );
}

/** Names and their values, a line each. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Right is a teal circle, wrong a violet diamond: shape and colour. */
export function RightWrong({ right }: { right: boolean }) {
  return (
    <span className="right-wrong">
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden>
        {right ? (
          <circle cx="6" cy="6" r="5" fill="var(--good)" />
        ) : (
          <path d="M6 0 12 6 6 12 0 6z" fill="var(--bad)" />
        )}
      </svg>
      <span className="sr-only">{right ? 'right' : 'wrong'}</span>
    </span>
  );
}
