import { Link, useLocation } from 'wouter';

const PAGES = [
  { path: '/prompt', title: 'Take home and keep' },
  { path: '/prompt/inside', title: 'Inside the prompt' },
  { path: '/prompt/together', title: 'One model, many prompts' },
] as const;

/** On a phone the row of pages is wider than the screen: the current one is brought into view. */
const show = (link: HTMLAnchorElement | null) =>
  link?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

/** The pages of the Prompt station. */
export function PromptNav() {
  const [path] = useLocation();
  return (
    <nav className="prompt-nav" aria-label="Pages of the Prompt station">
      {PAGES.map((page) => (
        <Link
          key={page.path}
          href={page.path}
          ref={path === page.path ? show : undefined}
          aria-current={path === page.path ? 'page' : undefined}
        >
          {page.title}
        </Link>
      ))}
    </nav>
  );
}
