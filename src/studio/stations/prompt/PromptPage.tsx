import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import { Button, Empty, ProgressLine } from '../../components/index.ts';
import { useSession } from '../../studio.tsx';
import { PromptNav } from './PromptNav.tsx';
import './prompt.css';

/** A page of the Prompt station that looks at learned prompts: what it shows, or `empty` until there are enough of them. */
export function PromptPage({
  title,
  intro,
  isEmpty,
  empty,
  children,
}: {
  title: string;
  intro: string;
  /** Too few prompts are learned. */
  isEmpty: boolean;
  /** What will stand here then. */
  empty: string;
  children: ReactNode;
}) {
  const [, go] = useLocation();
  const isReady = useSession((s) => s.task !== undefined);
  const progress = useSession((s) => s.progress);
  return (
    <main id="main" className="page">
      <div className="page-head">
        <h1>{title}</h1>
        <p>{intro}</p>
      </div>
      <PromptNav />
      {!isReady && progress ? (
        <ProgressLine progress={progress} />
      ) : isReady && !isEmpty ? (
        children
      ) : (
        <Empty action={<Button onPress={() => go('/tune')}>Train a prompt on Tune</Button>}>{empty}</Empty>
      )}
    </main>
  );
}
