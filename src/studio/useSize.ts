import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

export interface Size {
  width: number;
  height: number;
  /** Pixels per pixel of the base font: 1, or 1.25 on a projector. */
  unit: number;
}

/** The size of an element, now and whenever it changes. */
export function useSize<E extends HTMLElement>(): [RefObject<E | null>, Size | undefined] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState<Size>();
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      const unit = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 14;
      if (width > 0 && height > 0)
        setSize((old) =>
          old && old.width === width && old.height === height && old.unit === unit
            ? old
            : { width, height, unit },
        );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, size];
}
