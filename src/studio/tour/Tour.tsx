import { X } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { Button, IconButton } from '../components/index.ts';
import { keyIsTaken } from '../shell/keys.ts';
import { go } from '../shell/location.ts';
import { type Box, placeCard, STOPS } from './stops.ts';
import './tour.css';

/** How often the part that is pointed at is looked for again: charts come late, and figures move things. */
const LOOK_MS = 250;
const SETTLED_MS = 1500;

/** One stop of the tour: a ring about the part it speaks of, and a card beside it. Everything under it can be used. */
export function Tour({ number }: { number: number }) {
  const stop = STOPS[number - 1]!;
  const card = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [box, setBox] = useState<Box>();
  const [place, setPlace] = useState<{ left: number; top: number }>();
  const end = useCallback(() => go('/tune', { replace: true }), []);
  const to = useCallback(
    (next: number) => (next >= 1 && next <= STOPS.length ? go(`/tune?tour=${next}`) : end()),
    [end],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another stop is another thing to speak of
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, [number]);

  useLayoutEffect(() => {
    const since = performance.now();
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const look = () => {
      const part = find(stop.targets);
      const found = part?.getBoundingClientRect();
      // Parts that come late push others away: for a while the stop keeps its part in view, then scrolling is the person's.
      if (
        found &&
        performance.now() - since < SETTLED_MS &&
        (found.top < 0 || found.bottom > window.innerHeight)
      )
        part!.scrollIntoView({
          block: found.height < window.innerHeight / 2 ? 'center' : 'start',
          behavior: still ? 'auto' : 'smooth',
        });
      const next = found && { left: found.left, top: found.top, width: found.width, height: found.height };
      const own = card.current!.getBoundingClientRect();
      setBox((now) => (same(now, next) ? now : next));
      const spot = placeCard(next, own, { width: window.innerWidth, height: window.innerHeight });
      setPlace((now) => (now && now.left === spot.left && now.top === spot.top ? now : spot));
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    window.addEventListener('resize', look);
    window.addEventListener('scroll', look, true);
    return () => {
      clearInterval(timer);
      window.removeEventListener('resize', look);
      window.removeEventListener('scroll', look, true);
    };
  }, [stop]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (keyIsTaken(event) || (event.target as HTMLElement).closest('[type="range"], [role="slider"]'))
        return;
      if (event.key === 'Escape') end();
      else if (event.key === 'ArrowRight') to(number + 1);
      else if (event.key === 'ArrowLeft' && number > 1) to(number - 1);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [number, to, end]);

  return (
    <>
      {box && <div className="tour-ring" aria-hidden style={ringOf(box)} />}
      <section ref={card} className="tour-card" aria-label="Tour" style={place}>
        <div className="tour-head">
          <h2 ref={heading} tabIndex={-1}>
            {stop.title}
          </h2>
          <IconButton label="End the tour (Escape)" onPress={end}>
            <X size={16} aria-hidden />
          </IconButton>
        </div>
        <p>{stop.text}</p>
        {stop.links && (
          <p className="tour-links">
            {stop.links.map(({ href, title }) => (
              <Link key={href} href={href}>
                {title}
              </Link>
            ))}
          </p>
        )}
        <div className="tour-foot">
          <span className="small muted">
            {number} of {STOPS.length}
          </span>
          {number > 1 && <Button onPress={() => to(number - 1)}>Back</Button>}
          <Button onPress={() => to(number + 1)}>{number < STOPS.length ? 'Next' : 'Done'}</Button>
        </div>
      </section>
    </>
  );
}

function find(targets: readonly string[]): Element | undefined {
  for (const target of targets) {
    const part = document.querySelector(target);
    if (part?.checkVisibility() && part.getBoundingClientRect().width > 0) return part;
  }
  return undefined;
}

const AROUND = 5;

function ringOf({ left, top, width, height }: Box) {
  return { left: left - AROUND, top: top - AROUND, width: width + 2 * AROUND, height: height + 2 * AROUND };
}

function same(a: Box | undefined, b: Box | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
