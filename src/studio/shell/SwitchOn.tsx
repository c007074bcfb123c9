import { useId } from 'react';
import { browserHelp, detectBrowser } from './browser.ts';

/** How WebGPU is switched on, this browser first. `level`: of the headings. */
export function SwitchOn({ level: Heading }: { level: 'h2' | 'h4' }) {
  const own = detectBrowser(navigator.userAgent);
  const id = useId();
  return browserHelp(navigator.userAgent).map(({ name, steps }) => (
    <section key={name} aria-labelledby={`${id}-${name}`}>
      <Heading id={`${id}-${name}`}>
        {name}
        {name === own && <span className="muted"> (this browser)</span>}
      </Heading>
      <ol>
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </section>
  ));
}
